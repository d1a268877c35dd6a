"""The playbook: what can be done about an exception, and doing it. What fails changes nothing, and says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from lastmile.errors import NotPossible
from lastmile.exceptions import promising
from lastmile.exceptions.deciding import record_action
from lastmile.exceptions.escalating import above, escalate
from lastmile.exceptions.queue import OPEN, exceptions
from lastmile.replanning import Act, Asked, ByHand, Replanning, open_day, replanning
from lastmile.store import Store

SEARCH_SECONDS, SEED = 10.0, 0
Begin = Callable[[Replanning], Replanning]


@dataclass(frozen=True)
class Action:
    """One thing that can be done. `asks`: what must be given for it; `opens`: the page on which it is then decided.

    `by_word`: a person does it outside the tower, and says what came of it.
    """

    key: str
    label: str
    meaning: str
    asks: tuple[str, ...] = ()
    opens: str | None = None
    by_word: bool = False


ACTIONS = {
    one.key: one
    for one in (
        Action("reoptimize_first", "Re-optimize with this stop first", "Searches for a plan of the rest of the depot's day in which the stop goes first on its van.", opens="routes"),
        Action("reoptimize_depot", "Re-optimize the depot", "Searches for a better plan of the rest of the depot's day.", opens="routes"),
        Action("reoptimize_without", "Re-optimize without this van", "Searches for a plan in which other vans take over what this one has left.", opens="routes"),
        Action("move_to_vehicle", "Move to another van", "Searches for a plan in which the stop goes on the van that is named.", asks=("vehicle_id",), opens="routes"),
        Action("change_promise", "Change the promise and tell the customer", "Promises another window, by default the one that is expected, and asks for a notice; both or neither.", asks=("window",)),
        Action("call_list", "Call list", "Lists those concerned with how they are reached."),
        Action("reattempt", "Try again on the next working day", "Books the same window of the next working day, and asks for a notice."),
        Action("hand_to_carrier", "Hand to another carrier", "Gives the deliveries to the carrier that is named.", asks=("carrier_id",)),
        Action("escalate", "Escalate", "Gives it to the role above, and tells it."),
        Action("call_driver", "Call the driver", "A person calls, and says what came of it.", asks=("why",), by_word=True),
        Action("call_depot", "Call the depot", "A person calls, and says what came of it.", asks=("why",), by_word=True),
        Action("call_carrier", "Call the carrier", "A person calls, and says what came of it.", asks=("why",), by_word=True),
        Action("quarantine", "Hold for a quality decision", "The goods are set apart until quality has decided; the tower never releases.", asks=("why",), by_word=True),
        Action("comment", "Comment", "Keeps a word with it.", asks=("why",), by_word=True),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Doing:
    """All that an action has at hand: the exception, what it concerns, who does it and when, and what was given."""

    store: Store
    row: Any
    members: pd.DataFrame
    actor: str
    at: datetime
    why: str
    begin: Begin | None
    given: Mapping[str, Any]

    @property
    def delivery_ids(self) -> list[str]:
        """The deliveries that the exception is about, or that those it explains are about."""
        return sorted(set(self.members.delivery_id.dropna()))


def perform(
    store: Store,
    key: str,
    seen: Mapping[str, int],
    actor: str,
    at: datetime,
    *,
    why: str = "",
    begin: Begin | None = None,
    **given: Any,
) -> pd.DataFrame:
    """Do one action for some exceptions and keep what came of it: one row per id, exception_id, ok, words.

    `seen` as of deciding.acknowledge; `begin` starts a re-optimization (Tower.begin) where the action is one; `given` is what
    the action asks for: vehicle_id, carrier_id, window (a pair of instants). Raises NotPossible for an unknown action.
    """
    if key not in ACTIONS:
        raise NotPossible(f"There is no action {key!r}. There are: {', '.join(ACTIONS)}.")
    known = exceptions(store, at)
    told = []
    for exception_id, steps in seen.items():
        told.append(_one(store, key, known, exception_id, steps, actor, at, why, begin, given))
    return pd.DataFrame(told, columns=["exception_id", "ok", "words"])


def _one(
    store: Store, key: str, known: pd.DataFrame, exception_id: str, steps: int, actor: str, at: datetime, why: str,
    begin: Begin | None, given: Mapping[str, Any],
) -> tuple[str, bool, str]:  # fmt: skip
    rows = known[known.exception_id == exception_id]
    if rows.empty:
        return exception_id, False, "There is no such exception."
    row = next(rows.itertuples(index=False))
    if row.steps != steps or row.state not in OPEN:
        # told in the same words as any decision that comes too late
        return next(
            record_action(store, {exception_id: steps}, key, "", False, actor, at).itertuples(index=False, name=None)
        )
    below = known[(known.root_id == exception_id) & known.state.isin(OPEN)]
    try:
        words = DOES[key](Doing(store, row, pd.concat([rows, below]), actor, at, why.strip(), begin, given))
    except NotPossible as refused:
        record_action(store, {exception_id: steps}, key, str(refused), False, actor, at)
        return exception_id, False, str(refused)
    if key == "escalate":
        return exception_id, True, words
    return next(
        record_action(store, {exception_id: steps}, key, words, True, actor, at).itertuples(index=False, name=None)
    )


def call_list(store: Store, exception_ids: list[str], at: datetime) -> pd.DataFrame:
    """One row per delivery that some exceptions and those they explain concern: whom to call, and what about."""
    known = exceptions(store, at)
    mine = known[known.exception_id.isin(exception_ids) | known.root_id.isin(exception_ids) & known.state.isin(OPEN)]
    words = mine.dropna(subset=["delivery_id"]).groupby("delivery_id").words.first()
    found = promising.bookings_now(store, words.index.tolist())
    columns = [
        "delivery_id",
        "recipient",
        "address",
        "email",
        "window_from",
        "window_due",
        "expected_from",
        "expected_until",
        "notes",
    ]
    return (
        found[columns]
        .assign(words=found.delivery_id.map(words))
        .sort_values(["window_due", "delivery_id"], ignore_index=True)
    )


def link(row: Any, key: str) -> tuple[str, dict[str, str]] | None:
    """The page on which an action is decided and what it is opened with; None for what is done at once."""
    page = ACTIONS[key].opens
    return None if page is None else (page, {"depots": row.depot_id} if isinstance(row.depot_id, str) else {})


def _reoptimize(doing: Doing, told: str, *by_hand: ByHand) -> str:
    row = doing.row
    if not isinstance(row.depot_id, str):
        raise NotPossible("It belongs to no depot whose day could be re-optimized.")
    if doing.begin is None:
        raise NotPossible("Re-optimizations are begun in the running tower.")
    asked = Asked(by_hand=by_hand, seconds=SEARCH_SECONDS)

    def start() -> Any:
        return open_day(doing.store, row.depot_id, row.day.date(), doing.at, asked)

    start()  # what can't be asked is refused here, before anything is begun
    job = replanning(doing.store, row.depot_id, start, seconds=SEARCH_SECONDS, seed=SEED, actor=doing.actor)
    there = doing.begin(job)
    if there is not job:
        raise NotPossible(f"{there.actor} has begun a re-optimization of {row.depot_id} already. Decide it first.")
    return f"Re-optimization of {row.depot_id} begun{told}; its proposal waits on Routes"


def _delivery(doing: Doing) -> str:
    if not isinstance(doing.row.delivery_id, str):
        raise NotPossible("It is not about one delivery.")
    return doing.row.delivery_id


def _by_hand(doing: Doing, act: Act, **more: Any) -> ByHand:
    return ByHand(act, by=doing.actor, why=doing.why or str(doing.row.words), **more)


def _first(doing: Doing) -> str:
    delivery_id, label = _delivery(doing), doing.row.recipient if isinstance(doing.row.recipient, str) else None
    return _reoptimize(
        doing,
        f" with {label or delivery_id} first",
        _by_hand(doing, Act.GOES_FIRST, delivery_id=delivery_id, label=label),
    )


def _without(doing: Doing) -> str:
    vehicle_id = doing.row.vehicle_id
    if not isinstance(vehicle_id, str):
        raise NotPossible("It is not about a van.")
    return _reoptimize(doing, f" without {vehicle_id}", _by_hand(doing, Act.VEHICLE_OUT, vehicle_id=vehicle_id))


def _move(doing: Doing) -> str:
    vehicle_id, delivery_id = _given(doing, "vehicle_id", "Say which van it goes on."), _delivery(doing)
    label = doing.row.recipient if isinstance(doing.row.recipient, str) else None
    return _reoptimize(
        doing,
        f" with {label or delivery_id} on {vehicle_id}",
        _by_hand(doing, Act.ON_VEHICLE, delivery_id=delivery_id, vehicle_id=vehicle_id, label=label),
    )


def _given(doing: Doing, name: str, ask: str) -> Any:
    if not doing.given.get(name):
        raise NotPossible(ask)
    return doing.given[name]


def _open_bookings(doing: Doing) -> pd.DataFrame:
    found = promising.bookings_now(doing.store, doing.delivery_ids)
    if found.empty:
        raise NotPossible("No delivery of it is still to be handed over.")
    return found


def _change_promise(doing: Doing) -> str:
    rows = _open_bookings(doing)
    if window := doing.given.get("window"):
        windows = dict.fromkeys(rows.delivery_id, tuple(window))
    else:
        known = rows[rows.expected_until.notna() & (rows.expected_until > pd.Timestamp(doing.at))]
        if known.empty:
            raise NotPossible("No arrival is predicted; say the new window.")
        windows = {row.delivery_id: promised_around(row, doing.at) for row in known.itertuples()}
    change = f"exception {doing.row.exception_id} promise {doing.at.isoformat()}"
    return promising.change_promise(doing.store, rows, windows, change, doing.actor, doing.at)


def promised_around(row: Any, at: datetime) -> tuple[datetime, datetime]:
    """The expected interval as a window that can be kept, on round five minutes, and not before now."""
    five = "5min"
    start = max(row.expected_from.floor(five), pd.Timestamp(at).floor(five))
    return start.to_pydatetime(), max(row.expected_until.ceil(five), start + pd.Timedelta(minutes=30)).to_pydatetime()


def _call_list(doing: Doing) -> str:
    rows = _open_bookings(doing)
    return f"Call list of {len(rows):,} made"


def _reattempt(doing: Doing) -> str:
    change = f"exception {doing.row.exception_id} again {doing.at.isoformat()}"
    return promising.reattempt(doing.store, _open_bookings(doing), change, doing.actor, doing.at)


def _hand_over(doing: Doing) -> str:
    carrier_id = _given(doing, "carrier_id", "Say which carrier takes it.")
    return promising.hand_to_carrier(doing.store, _open_bookings(doing), carrier_id, doing.at)


def _escalate(doing: Doing) -> str:
    role = above(doing.row.owner_role)
    if role == doing.row.owner_role:
        raise NotPossible(f"Nobody stands above the {role}.")
    escalate(doing.store, [doing.row], doing.actor, doing.at, doing.why or "Escalated by hand.")
    return f"Escalated to the {role}"


def _by_word(doing: Doing) -> str:
    if not doing.why:
        raise NotPossible("Say in a word what came of it.")
    return doing.why


DOES: dict[str, Callable[[Doing], str]] = {
    "reoptimize_first": _first,
    "reoptimize_depot": lambda doing: _reoptimize(doing, ""),
    "reoptimize_without": _without,
    "move_to_vehicle": _move,
    "change_promise": _change_promise,
    "call_list": _call_list,
    "reattempt": _reattempt,
    "hand_to_carrier": _hand_over,
    "escalate": _escalate,
} | {key: _by_word for key, action in ACTIONS.items() if action.by_word}
"""How each action is done; raises NotPossible, nothing changed, where it can't be."""
