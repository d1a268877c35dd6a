"""All benchmarks in one run: python -m bench. Prints ratios and medians, and adds a dated table to docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from datetime import date
from pathlib import Path

from bench import door_bench, import_bench, kpi_bench, live_bench, pages_bench, travel_bench

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main() -> None:
    """Run each benchmark on one database of a million deliveries and keep what they found."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "million.duckdb"
        found = [
            *live_bench.run(database),
            *kpi_bench.run(database),
            *travel_bench.run(database),
            *import_bench.run(Path(folder)),
            *door_bench.run(Path(folder)),
            *pages_bench.run(Path(folder)),
        ]
    lines = [f"| {what} | {figure} |" for what, figure in found]
    print("\n".join(lines))
    heading = f"\n## {date.today():%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}\n"  # noqa: DTZ011
    with TABLE.open("a", encoding="utf-8") as kept:
        kept.write("\n".join([heading, "| what | figure |", "|---|---|", *lines, ""]))


if __name__ == "__main__":
    sys.exit(main())
