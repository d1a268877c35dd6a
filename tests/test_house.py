"""The house rules that a machine can hold: who may import whom, how large a thing may grow, what must be told."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "lastmile").rglob("*.py"))]
TESTS = [*sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "bench").rglob("*.py"))]

HOMES = {
    "streamlit": ("app.py", "pages/", "lastmile/ui/"),
    "duckdb": ("lastmile/store", "lastmile/ingest/"),
    "ortools": ("lastmile/routing/",),
    "pyvrp": ("lastmile/routing/",),
    "numba": ("lastmile/routing/kernel/",),
    "vroom": ("lastmile/routing/peers/",),
    "distributed": ("lastmile/routing/workers",),
    "vrplib": ("lastmile/routing/instances/",),
    "routingpy": ("lastmile/routing/travel/",),
    "pydeck": ("lastmile/ui/maps/",),
    "plotly": ("lastmile/ui/charts",),
    "altair": ("lastmile/ui/charts",),
    "starlette": ("lastmile/api/",),
    "prometheus_client": ("lastmile/metrics.py",),
    "itsdangerous": ("lastmile/layers.py",),
    "python_calamine": ("lastmile/ingest/",),
    "anyio": ("app.py", "lastmile/api/"),
    "smtplib": ("lastmile/notifications/",),
}
"""Outside library → where alone it may be imported. Numpy, pandas and pyarrow may be anywhere."""

FORBIDDEN = {
    "lastmile/model": ("lastmile",),
    "lastmile/errors": ("lastmile",),
    "lastmile/store": (
        "lastmile.queries",
        "lastmile.kpis",
        "lastmile.decisions",
        "lastmile.ingest",
        "lastmile.ui",
        "pages",
    ),
    "lastmile/routing/": ("lastmile.store", "lastmile.queries", "lastmile.ui", "lastmile.kpis", "lastmile.replanning"),
    "lastmile/twin/": ("lastmile.store", "lastmile.queries", "lastmile.ui", "lastmile.kpis", "lastmile.ingest"),
    "lastmile/kpis/": ("lastmile.ui", "lastmile.ingest", "lastmile.routing", "lastmile.twin"),
    "lastmile/ingest/": ("lastmile.ui", "lastmile.kpis", "lastmile.routing", "lastmile.twin"),
    "lastmile/queries": ("lastmile.ui", "lastmile.kpis", "lastmile.decisions", "lastmile.ingest"),
    "lastmile/decisions": ("lastmile.ui", "lastmile.queries", "lastmile.kpis", "lastmile.ingest"),
    "lastmile/attention": ("lastmile.store", "lastmile.queries", "lastmile.ui"),
    "lastmile/predictions/": ("lastmile.ui", "lastmile.kpis", "lastmile.twin", "lastmile.queries", "lastmile.routing"),
    "lastmile/notifications/": (
        "lastmile.ui",
        "lastmile.api",
        "lastmile.door",
        "lastmile.intake",
        "lastmile.ingest",
        "lastmile.kpis",
        "lastmile.queries",
        "lastmile.routing",
        "lastmile.replanning",
        "lastmile.twin",
        "lastmile.exceptions",
    ),
    "lastmile/replanning/": ("lastmile.ui", "lastmile.kpis", "lastmile.twin"),
    "lastmile/commands/": ("lastmile.ui",),
    "lastmile/connections/": (
        "lastmile.ui",
        "lastmile.api",
        "lastmile.door",
        "lastmile.intake",
        "lastmile.adapters",
        "lastmile.ingest",
        "lastmile.queries",
    ),
    "lastmile/adapters/": (
        "lastmile.store",
        "lastmile.queries",
        "lastmile.ui",
        "lastmile.api",
        "lastmile.door",
        "lastmile.intake",
        "lastmile.connections",
        "lastmile.kpis",
    ),
    "lastmile/intake/": (
        "lastmile.ui",
        "lastmile.api",
        "lastmile.door",
        "lastmile.kpis",
        "lastmile.queries",
        "lastmile.twin",
    ),
    "lastmile/metrics": ("lastmile.store", "lastmile.ui", "lastmile.intake", "lastmile.connections"),
    "lastmile/door": ("lastmile.ui", "lastmile.api", "lastmile.queries", "lastmile.kpis", "lastmile.twin"),
    "lastmile/api/": ("duckdb", "pages", "lastmile.twin", "lastmile.ingest"),
    "lastmile/": ("pages", "tests", "app"),
    "pages/": ("duckdb", "lastmile.store", "pandas", "numpy"),
}
"""Room → what it must not know: arrows point down only."""

NOT_IMPORTED = {
    "pytz": "DuckDB imports it to hand out times with a zone",
    "tzdata": "zoneinfo reads it where the system has no time zones",
    "pyarrow": "pandas and DuckDB exchange tables by it",
}
OPTIONAL = {
    "pyvroom": "an engine that ours is measured against; without it, solve says how to install it",
    "distributed": "a cluster that re-optimization can use; where the setting names one, it says what to install",
}
"""Packages that the program imports only where they are installed; the tests have them."""

NOT_IMPORTED_BY_TESTS = {
    "pytest-xdist": "the Makefile runs tests in two processes",
    "pytest-timeout": "pyproject.toml sets the limit",
    "pytest-playwright": "brings its fixtures to pytest by itself",
    "openpyxl": "pandas writes Excel files with it",
    "httpx": "starlette's test client sends requests with it",
    "ruff": "the Makefile runs it",
}

MOST_LINES = 400
MOST_LINES_OF_A_PAGE = 80


@cache
def tree(path: Path) -> ast.Module:
    """What a file says; read once for all rules. Only to be looked at."""
    return ast.parse(path.read_text(), str(path))


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def imported(path: Path) -> frozenset[str]:
    """Full names of the modules that a file imports, at its head or anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return frozenset(names)


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


def pins(file: str) -> dict[str, str]:
    """Package → version as pinned."""
    lines = (ROOT / file).read_text().splitlines()
    return dict(re.match(r"([\w.-]+)==([\w.]+)", line).groups() for line in lines if line and not line.startswith("#"))


def packages(paths: list[Path]) -> dict[str, str]:
    """Outside package → a file that imports it."""
    own = {"lastmile", "pages", "tests", "bench", "app"}
    known = packages_distributions()
    roots = {name.split(".")[0]: place(path) for path in paths for name in imported(path)}
    outside = {name: where for name, where in roots.items() if name not in sys.stdlib_module_names and name not in own}
    return {known.get(name, [name])[0].lower().replace("_", "-"): where for name, where in outside.items()}


@pytest.mark.parametrize("library", HOMES)
def test_every_outside_library_has_one_home(library):
    strangers = [
        place(path)
        for path in PROGRAM
        if any(within(name, library) for name in imported(path)) and not place(path).startswith(HOMES[library])
    ]

    assert strangers == []


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_point_down_only(room):
    paths = [path for path in PROGRAM if place(path).startswith(room)]
    wrong = [
        f"{place(path)} imports {name}"
        for path in paths
        for name in sorted(imported(path))
        if any(within(name, forbidden) for forbidden in FORBIDDEN[room])
    ]

    assert paths
    assert wrong == []


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=place)
def test_a_page_is_thin_and_holds_no_sql(path):
    texts = [
        node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]

    assert len(path.read_text().splitlines()) <= MOST_LINES_OF_A_PAGE
    assert [
        text for text in texts if re.search(r"\b(select|insert into|delete from|update)\b.*\b(from|into|set)\b", text)
    ] == []


def test_no_module_outgrows_the_house():
    too_long = {place(path): len(path.read_text().splitlines()) for path in PROGRAM + TESTS}

    assert {
        path: lines for path, lines in too_long.items() if lines > MOST_LINES and not path.startswith("tests/")
    } == {}


def test_everything_public_is_told_in_a_docstring():
    silent = [f"{place(path)}: {name}" for path in PROGRAM for name in untold(path)]

    assert silent == []


def untold(path: Path) -> list[str]:
    """Modules, functions and classes of a file that others may use and that say nothing of themselves.

    A method whose class is told, and whose name, arguments and result say all, needs no sentence of its own.
    """
    module = tree(path)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [node for node in module.body if isinstance(node, kinds) and not node.name.startswith("_")]
    named = [node.name for node in public if ast.get_docstring(node) is None and not is_a_list_of_words(node)]
    told = ast.get_docstring(module) is not None or not path.read_text().strip()
    return named if told else ["the module", *named]


def is_a_list_of_words(node: ast.AST) -> bool:
    """An enumeration says all in its members."""
    return isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases)


def test_all_that_is_imported_is_pinned():
    given, for_tests = pins("requirements.txt"), pins("requirements.txt") | pins("tests/requirements.txt")
    needed = {package: where for package, where in packages(PROGRAM).items() if package not in OPTIONAL}

    assert {package: where for package, where in needed.items() if package not in given} == {}
    assert {package: where for package, where in packages(TESTS).items() if package not in for_tests} == {}


def test_nothing_is_pinned_that_nobody_needs():
    unused = set(pins("requirements.txt")) - set(packages(PROGRAM)) - set(NOT_IMPORTED)
    unused_by_tests = (
        set(pins("tests/requirements.txt")) - set(packages(TESTS)) - set(NOT_IMPORTED_BY_TESTS) - set(OPTIONAL)
    )

    assert unused == set()
    assert unused_by_tests == set()


def test_no_file_names_a_place_on_somebodys_machine():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    machine = re.compile(r"(?<![\w.])/(home|root|Users|work|tmp|mnt|workspace)/\w", re.IGNORECASE)
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path != Path(__file__) and path.suffix not in (".png", ".parquet", ".xlsx", ".duckdb"):
            text = path.read_text(errors="replace")
            found += [f"{name}: {line.strip()}" for line in text.splitlines() if machine.search(line)]

    assert found == []
