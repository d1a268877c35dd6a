"""What every page opens with: its title, the scope, the instant it stands at, and who is asking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lastmile.model import Scope
from lastmile.ui import format, person

PAGES = Path(__file__).resolve().parents[2] / "pages"
"""Links name a page by its whole path: Streamlit would look for any other beside the script, inside the package."""

URL = "query-params"
CONTROL_HEIGHT = 35
"""Pixels of a filter or button at our font size: kept free where one comes later, so that nothing moves when it does."""

LEAVING = "go to"

PERIODS = {"Today": 1, "Yesterday": -1, "Last 7 days": 7, "Last 28 days": 28, "Other days": 0}
When = Literal["day", "period", "instant", "none"]
"""What a page asks of time: a day, a period, only the instant to stand at, or nothing."""


@dataclass(frozen=True)
class Choices:
    """What there is to choose from: id → name for each filter, and the first and last day that hold anything."""

    depots: Mapping[str, str] = field(default_factory=dict)
    carriers: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    first_day: date | None = None
    last_day: date | None = None
    zone: str = "UTC"


@dataclass(frozen=True)
class Clock:
    """The tower's present: `now`, the latest instant that its sources told of, and whether they are still telling."""

    now: datetime
    told_until: datetime | None = None
    live: bool = True
    stale_after: timedelta = timedelta(minutes=2)
    silent: tuple[str, ...] = ()
    """Names of the sources that should have told something by now and have not."""

    @property
    def stale(self) -> bool:
        return self.live and (self.told_until is None or self.now - self.told_until > self.stale_after)


@dataclass(frozen=True)
class View:
    """What a page is asked to show; `as_of` None means now."""

    scope: Scope
    as_of: datetime | None
    zone: str
    dark: bool
    actor: str
    choices: Choices = field(default_factory=Choices)

    def link(self, **more: str | Sequence[str]) -> dict[str, str | list[str]]:
        """Query parameters of a link that keeps this scope and instant; filters may be given anew, by id.

        The address holds names, as Streamlit writes them there, so ids are turned into names here.
        """
        given = {"depots": self.scope.depots, "carriers": self.scope.carriers, "services": self.scope.services} | more
        kept = {name: _named(ids, getattr(self.choices, name, {})) for name, ids in given.items()}
        instant = {
            name: st.query_params[name] for name in ("as_of", "day", "period", "days") if name in st.query_params
        }
        return instant | {name: value for name, value in kept.items() if value}


def bar(title: str) -> DeltaGenerator:
    """Open a page: the bar with its title, into which `scope_and_instant` puts the filters."""
    opened = st.container(horizontal=True, vertical_alignment="center", gap="small", key="bar")
    with opened.container(
        height=CONTROL_HEIGHT,
        border=False,
        width="content",
        horizontal=True,
        vertical_alignment="center",
        key="page title",
    ):
        st.title(title, anchor=False, width="content")
    return opened


def scope_and_instant(
    title: str,
    choices: Choices,
    clock: Clock,
    *,
    when: When = "day",
    ticking: bool = False,
    show_badge: Callable[[View], None] | None = None,
) -> View:
    """Filters and clock, kept in the address, drawn into the open bar. A page that ticks shows `badge` itself; one of figures
    shows its own in its place.
    """
    _bring_scope_along(title, choices)
    scope = _scope(choices, clock, when) if when != "none" else Scope()
    st.session_state["page shown"] = title
    as_of = _as_of(choices.zone, clock) if when != "none" else None
    view = View(scope, as_of, choices.zone, is_dark(), person.actor(), choices)
    if show_badge is not None:
        show_badge(view)
    elif not ticking:
        badge(clock, as_of, choices.zone)
    person.ask()
    return view


def opens_plainly() -> bool:
    """Whether this is a session's first page, at an address without filters, on a screen where the bar is one line.

    What the filters will say is then known before they are drawn, and drawing them later moves nothing.
    """
    return "page shown" not in st.session_state and not st.query_params and not is_phone()


def plain_view(choices: Choices, clock: Clock) -> View:
    """What the filters of a page of one day say when nobody has touched them: today, all of it, now."""
    today = clock.now.astimezone(ZoneInfo(choices.zone)).date()
    return View(Scope(day_from=today, day_to=today), None, choices.zone, is_dark(), person.actor(), choices)


def _bring_scope_along(title: str, choices: Choices) -> None:
    """On the first run of another page: the filters of the page before, but for those that the address names itself.

    Streamlit carries a filter along only once somebody has touched it; one that came with a link would be lost, and a value
    that is set here does not reach the address by itself. A run that is broken off before its filters are drawn does not
    count as the first: the page counts as shown after them.
    """
    if st.session_state.get("page shown") != title:
        for name, chosen in st.session_state.get("scope shown", {}).items():
            if name not in st.query_params and chosen:
                st.session_state[name] = list(chosen)
                st.query_params[name] = _named(list(chosen), getattr(choices, name))


def badge(clock: Clock, as_of: datetime | None, zone: str) -> None:
    """ "Live · as of 12:48:06 CET"; amber, in words too, where the data are stale or the page stands in the past."""
    st.markdown(badge_text(clock, as_of, zone), width="content")


def badge_text(clock: Clock, as_of: datetime | None, zone: str) -> str:
    """The badge as Markdown."""
    if as_of is not None:
        return f":yellow-badge[:material/history: As known then] **{format.instant(as_of, zone, clock.now)}**"
    if clock.told_until is None:
        return ":gray-badge[:material/hourglass_empty: No data yet]"
    shown = f"as of **{clock.told_until.astimezone(ZoneInfo(zone)):%H:%M:%S %Z}**"
    if not clock.live:
        return f":gray-badge[:material/inventory_2: Recorded] until **{format.instant(clock.told_until, zone)}**"
    if clock.stale:
        silent = format.minutes((clock.now - clock.told_until).total_seconds() / 60)
        who = _several(clock.silent)
        return f":yellow-badge[:material/warning: {f'{who}: s' if who else 'S'}ilent for {silent}] {shown}"
    if clock.silent:
        return f":yellow-badge[:material/warning: {_several(clock.silent)}: silent] {shown}"
    return f":blue-badge[:material/sensors: Live] {shown}"


def _several(names: Sequence[str]) -> str:
    """ "Telematics", "Telematics and 2 more"; nothing where no source is known by name."""
    return f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}" if names else ""


def address(page: str) -> str:
    """Where a page of the app stands, with what follows its name: below the path that a proxy may have put before it."""
    return "/".join(["", *filter(None, [(st.get_option("server.baseUrlPath") or "").strip("/"), page])])


def narrow(**filters: Sequence[str]) -> None:
    """Set filters by id, as `narrow(depots=["D1"])`: in a callback, since a link can't change a filter already set."""
    for name, ids in filters.items():
        st.session_state[name] = list(ids)


def go_to(page: str) -> None:
    """Leave for another page, from a callback: a callback can't turn the address, and a part that ticks can't either."""
    st.session_state[LEAVING] = PAGES / f"{page}.py"


def leave() -> None:
    """In a page, after its bar: go where a callback said. The scope goes along as on any way (`_bring_scope_along`).

    Parameters are given, though there are none: without any, filters that are in the address make the switch fail.
    """
    if page := st.session_state.pop(LEAVING, None):
        st.switch_page(page, query_params={})


def let_leave() -> None:
    """In a part that ticks: let the whole page run where a callback said that it is left."""
    if LEAVING in st.session_state:
        st.rerun()


def _named(ids: str | Sequence[str], names: Mapping[str, str]) -> str | list[str]:
    return names.get(ids, ids) if isinstance(ids, str) else [names.get(id, id) for id in ids]


def is_dark() -> bool:
    """Whether the person's screen is dark."""
    return st.context.theme.type == "dark"


def is_phone() -> bool:
    """Whether the person looks through a phone, as its browser says."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def _scope(choices: Choices, clock: Clock, when: When) -> Scope:
    depots = _filter("depots", choices.depots)
    carriers = _filter("carriers", choices.carriers)
    services = _filter("services", choices.services)
    day_from, day_to = _days(choices, clock, when)
    return Scope(depots, carriers, services, day_from, day_to)


def _filter(name: str, options: Mapping[str, str]) -> tuple[str, ...]:
    """The ids chosen; nothing to choose where there is one or none."""
    if len(options) < 2:
        return ()
    chosen = st.multiselect(
        name.capitalize(), list(options), format_func=lambda id: options.get(id, id), key=name, bind=URL,
        placeholder=f"All {name}", label_visibility="collapsed", width=172, wrap=False,
    )  # fmt: skip
    st.session_state.setdefault("scope shown", {})[name] = chosen
    return tuple(chosen)


def _days(choices: Choices, clock: Clock, when: When) -> tuple[date | None, date | None]:
    if when in ("none", "instant"):
        return None, None
    today = clock.now.astimezone(ZoneInfo(choices.zone)).date()
    return _day(choices, today) if when == "day" else _period(choices, today)


def _day(choices: Choices, today: date) -> tuple[date, date]:
    first, last = min(choices.first_day or today, today), max(choices.last_day or today, today)
    if "day" in st.session_state and st.session_state["day"] == st.session_state.get("day offered") != today:
        st.session_state["day"] = today  # midnight has passed on a page that stood at today
    st.session_state["day offered"] = today
    chosen = st.date_input(
        "Day", today, first, last, key="day", bind=URL, format="DD.MM.YYYY", label_visibility="collapsed", width=132
    )
    return chosen or today, chosen or today


def _period(choices: Choices, today: date) -> tuple[date, date]:
    named = st.selectbox(
        "Period", list(PERIODS), index=3, key="period", bind=URL, label_visibility="collapsed", width=140
    )
    length = PERIODS[named]
    if length < 0:
        return today + timedelta(length), today + timedelta(length)
    if length:
        return today - timedelta(length - 1), today
    chosen = st.date_input(
        "From and to", (choices.first_day or today, choices.last_day or today), key="days", bind=URL,
        format="DD.MM.YYYY", label_visibility="collapsed", width=220,
    )  # fmt: skip
    return (min(chosen), max(chosen)) if chosen else (today, today)  # an address may name the last day first


def _as_of(zone: str, clock: Clock) -> datetime | None:
    """Now, or a past instant in the depot's zone; a chosen instant that is not yet past means now."""
    chosen = st.session_state.get("as_of")
    label = f"{chosen:%d.%m. %H:%M}" if isinstance(chosen, datetime) else "Now"
    with st.popover(label, icon=":material/schedule:", help="Look at the tower as it was known at a past instant"):
        st.markdown(
            "**As known at**", help="Only what had been recorded by then counts; what was learned later is left out."
        )
        local = st.datetime_input(
            f"Past instant ({zone})", None, key="as_of", bind=URL, format="DD.MM.YYYY", step=timedelta(minutes=15)
        )
        with st.container(horizontal=True, gap="xsmall"):
            for text, hours in (("1 h earlier", -1), ("1 h later", 1)):
                st.button(text, on_click=_move, args=(hours, zone, clock.now), key=f"move {hours}")
            st.button(
                "Back to now", on_click=_move, args=(None, zone, clock.now), disabled=local is None, type="primary"
            )
    if local is None:
        return None
    at = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return at if at < clock.now else None


def _move(hours: int | None, zone: str, now: datetime) -> None:
    if hours is None:
        st.session_state["as_of"] = None
        return
    here = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None, second=0, microsecond=0)
    moved = (st.session_state.get("as_of") or here) + timedelta(hours=hours)
    st.session_state["as_of"] = moved if moved < here else None
