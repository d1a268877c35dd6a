"""The catalogue in words, for docs and the command line."""

from __future__ import annotations

from lastmile.exceptions.actions import ACTIONS
from lastmile.exceptions.catalogue import CATALOGUE
from lastmile.exceptions.settings import SETTINGS


def definitions() -> str:
    """All rules and settings as Markdown."""
    rules = [
        f"### {rule.label} (`{key}`)\n\n{rule.meaning} {rule.why}\n\n"
        f"{rule.subject.capitalize()} · {rule.severity} · {rule.owner} · due {rule.due.minutes:g} min after it was detected, and "
        f"{rule.due.before_breach_minutes:g} min before the breach at the latest"
        + (f" · not shown beside {_labels(rule.covered_by)}" if rule.covered_by else "")
        + (f" · explained by {_labels(rule.roots)}" if rule.roots else "")
        + f"\n\nPlaybook: {', '.join(ACTIONS[action].label for action in rule.playbook)}."
        for key, rule in CATALOGUE.items()
    ]
    rows = [f"| `{one.key}` | {one.meaning} | {one.default:g} {one.unit} |" for one in SETTINGS.values()]
    return "\n\n".join(
        ["## Rules", *rules, "## Settings", "\n".join(["| setting | meaning | default |", "|---|---|---|", *rows])]
    )


def _labels(keys: tuple[str, ...]) -> str:
    return ", ".join(CATALOGUE[key].label.lower() for key in keys)
