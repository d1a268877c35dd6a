"""The catalogue of exception rules: the only place where one is defined."""

from __future__ import annotations

from lastmile.errors import NotPossible
from lastmile.exceptions.rule import Rule
from lastmile.exceptions.rules.frame import FRAME
from lastmile.exceptions.rules.goods import GOODS
from lastmile.exceptions.rules.promises import PROMISES
from lastmile.exceptions.rules.road import ROAD
from lastmile.exceptions.rules.vans import VANS

CATALOGUE: dict[str, Rule] = {rule.key: rule for rule in (*PROMISES, *ROAD, *VANS, *GOODS, *FRAME)}


def find(key: str) -> Rule:
    """The rule of a key; NotPossible with the keys there are where it is none of them."""
    if key not in CATALOGUE:
        raise NotPossible(f"There is no exception rule {key!r}. There are: {', '.join(CATALOGUE)}.")
    return CATALOGUE[key]
