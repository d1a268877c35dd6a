"""The figures of a run as tables in Markdown, and whether the aims are met."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence

from bench.routing.measuring import Measured, gap
from bench.routing.references import Reference
from lastmile.routing.peers import ENGINES

Best = dict[tuple[str, str], Reference]

TOLERANCE = 1e-4
"""Costs that differ by less than this count as equal."""

CLOSER_THAN_ORTOOLS = 3


def tables(found: Sequence[Measured], best: Best) -> str:
    """All tables of one run."""
    parts = []
    for kind, told in (("static", _static_cell), ("mid-day", _midday_cell)):
        rows = [one for one in found if one.case.kind == kind]
        if rows:
            parts += [f"### {kind.capitalize()}", "", _table(rows, best, told), "", *_aims(kind, rows, best), ""]
    return "\n".join(parts)


def _table(rows: Sequence[Measured], best: Best, told: Callable[[Sequence[Measured], Best], str]) -> str:
    engines = _engines(rows)
    lines = ["| case | best known | limit | " + " | ".join(engines) + " |", "|---|---|---|" + "---|" * len(engines)]
    for case, kind, words, seconds in dict.fromkeys(_row_key(one) for one in rows):
        cells = [
            told([one for one in rows if _row_key(one)[0] == case and one.seconds == seconds and one.engine == e], best)
            for e in engines
        ]
        reference = best[case, kind]
        left = f", {reference.unserved} unserved" if reference.unserved else ""
        lines.append(f"| {words} | {reference.cost:,.0f}{left} | {seconds:g} s | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _engines(rows: Iterable[Measured]) -> list[str]:
    there = {one.engine for one in rows}
    return [engine for engine in ENGINES if engine in there]


def _row_key(one: Measured) -> tuple[str, str, str, float]:
    size = f"{len(one.case.problem.stops)} stops, {len(one.case.problem.vehicles)} vehicles"
    return one.case.name, one.case.kind, f"{one.case.name} ({size})", one.seconds


def _static_cell(runs: Sequence[Measured], best: Best) -> str:
    return " · ".join(part for part in (_gap_words(runs, best), _first_words(runs), _over_words(runs)) if part)


def _midday_cell(runs: Sequence[Measured], best: Best) -> str:
    kept = [one.kept_share for one in runs if one.kept_share is not None]
    share = f"keep {statistics.mean(kept):.0%}" if kept else ""
    parts = (_gap_words(runs, best), share, _first_words(runs), _over_words(runs))
    return " · ".join(part for part in parts if part)


def _gap_words(runs: Sequence[Measured], best: Best) -> str:
    if not runs:
        return "–"
    gaps = [gap(one.made, best[one.case.name, one.case.kind]) for one in runs]
    if None not in gaps:
        return f"{statistics.mean(gaps):.2%}".replace("%", " %")
    unserved = statistics.mean(one.made.unserved for one in runs)
    return f"**{unserved:g} unserved**"


def _first_words(runs: Sequence[Measured]) -> str:
    first = [one.made.first_plan_seconds for one in runs]
    if not first:
        return ""
    return "no plan" if None in first else f"first {statistics.mean(first):.2f} s"


def _over_words(runs: Sequence[Measured]) -> str:
    """Said only where the engine took notably longer than it was given."""
    over = max((one.made.elapsed_seconds - one.seconds for one in runs), default=0)
    return f"took {over:.1f} s more" if over > 0.25 else ""


def _aims(kind: str, rows: Sequence[Measured], best: Best) -> Iterable[str]:
    """Sentences on what the program set out to show, by time limit."""
    for seconds in sorted({one.seconds for one in rows}):
        by_case: dict[tuple[str, int], dict[str, Measured]] = {}
        for one in rows:
            if one.seconds == seconds:
                by_case.setdefault((one.case.name, one.seed), {})[one.engine] = one
        runs = list(by_case.values())
        yield from (f"- {seconds:g} s: {sentence}" for sentence in _sentences(kind, runs, best) if sentence is not None)


def _sentences(kind: str, runs: list[dict[str, Measured]], best: Best) -> Iterable[str | None]:
    yield _means(runs, best)
    for peer in ("pyvrp", "vroom", "ortools"):
        yield _against(peer, runs)
    if kind == "static":
        yield _closer(runs, best)
    else:
        yield _steadier(runs)


def _means(runs: list[dict[str, Measured]], best: Best) -> str:
    words = []
    for engine in _engines(one for run in runs for one in run.values()):
        mine = [run[engine] for run in runs if engine in run]
        gaps = [gap(one.made, best[one.case.name, one.case.kind]) for one in mine]
        known = [value for value in gaps if value is not None]
        mean = f"{statistics.mean(known):.2%}".replace("%", " %") if known else "–"
        words.append(f"{engine} {mean}, {sum(one.made.unserved for one in mine)} unserved")
    return "mean gap and stops unserved: " + "; ".join(words)


def _against(peer: str, runs: list[dict[str, Measured]]) -> str | None:
    both = [(run["ours"].made, run[peer].made) for run in runs if "ours" in run and peer in run]
    if not both:
        return None
    level = [ours.unserved == theirs.unserved and ours.cost <= theirs.cost * (1 + TOLERANCE) for ours, theirs in both]
    good = sum(ours.unserved < theirs.unserved or same for (ours, theirs), same in zip(both, level, strict=True))
    return f"ours is no worse than {peer} on {good} of {len(both)}"


def _closer(runs: list[dict[str, Measured]], best: Best) -> str | None:
    both = [(run["ours"], run["ortools"]) for run in runs if "ours" in run and "ortools" in run]
    if not both:
        return None
    close = 0
    for ours, theirs in both:
        reference = best[ours.case.name, ours.case.kind]
        mine, other = gap(ours.made, reference), gap(theirs.made, reference)
        close += mine is not None and (other is None or mine * CLOSER_THAN_ORTOOLS <= other)
    return f"ours is {CLOSER_THAN_ORTOOLS} times closer to the best known than ortools on {close} of {len(both)}"


def _steadier(runs: list[dict[str, Measured]]) -> str | None:
    """Of peers that come to the same cost within one percent, serving as many: who keeps more stops in place."""
    steady = total = 0
    for run in runs:
        ours = run.get("ours")
        for peer in run.values():
            if ours is None or peer is ours or peer.made.unserved != ours.made.unserved:
                continue
            if abs(peer.made.cost / ours.made.cost - 1) <= 0.01:
                total += 1
                steady += (ours.kept_share or 0) >= (peer.kept_share or 0)
    if not total:
        return None
    return f"at the same cost within 1 %, ours keeps as many stops on their vehicle or more in {steady} of {total} comparisons"
