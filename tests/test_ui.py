"""The parts every screen is made of: words, numbers, colours, tables and tiles."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lastmile.model import Status
from lastmile.ui import format, palette, shell
from lastmile.ui.maps import camera

NOON = datetime(2026, 11, 23, 11, 48, 6, tzinfo=UTC)  # 12:48:06 in Berlin


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (format.number(1184), "1\u202f184"),
        (format.number(-0.2, 0), "0"),
        (format.number(-1184.5, 1), "\u22121\u202f184.5"),
        (format.number(math.nan), "unknown"),
        (format.percent(0.9336), "93.4\u202f%"),
        (format.percent(None), "unknown"),
        (format.percent(1), "100.0\u202f%"),
        (format.percent(2999 / 3000), ">\u202f99.9\u202f%"),  # one failed
        (format.percent(0.9994), "99.9\u202f%"),
        (format.percent(0), "0.0\u202f%"),
        (format.percent(1 / 3000), "<\u202f0.1\u202f%"),
        (format.percent(0.0006), "0.1\u202f%"),
        (format.percent(0.995, 0), ">\u202f99\u202f%"),
        (format.percent(0.004, 0), "<\u202f1\u202f%"),
        (format.percent(0.1 + 0.2 + 0.7), "100.0\u202f%"),  # 0.9999999999999999
        (format.points(-0.0121), "\u22121.2 points"),
        (format.points(0.0), "0.0 points"),
        (format.money(3.419), "€\u202f3.42"),
        (format.money(-0.05), "\u2212€\u202f0.05"),
        (format.money(12, "CHF"), "CHF\u202f12.00"),
        (format.minutes(0.75), "45\u202fs"),
        (format.minutes(84), "1\u202fh 24\u202fmin"),
        (format.minutes(-60), "\u22121\u202fh"),
        (format.minutes(3 * 1440 + 120), "3\u202fd 2\u202fh"),
        (format.minutes(math.inf), "unknown"),
        (format.km(7.25), "7.2\u202fkm"),
        (format.count(1, "vehicle"), "1 vehicle"),
        (format.count(42, "delivery", "deliveries"), "42 deliveries"),
    ],
)
def test_numbers_carry_their_unit_and_say_when_they_are_unknown(shown, text):
    assert shown == text


def test_times_are_shown_in_the_depots_zone_and_say_so():
    assert format.instant(NOON, "Europe/Berlin", NOON) == "12:48 CET"
    assert format.instant(NOON - timedelta(days=2), "Europe/Berlin", NOON) == "Sat 21 Nov, 12:48 CET"
    assert format.instant(datetime(2025, 7, 1, 10, tzinfo=UTC), "Europe/Berlin", NOON) == "Tue 1 Jul 2025, 12:00 CEST"
    assert format.clock(None, "Europe/Berlin") == "unknown"
    assert format.clock(pd.NaT, "Europe/Berlin") == "unknown"
    assert format.span(NOON, None, "Europe/Berlin") == "12:48–"
    assert format.day(date(2026, 11, 21)) == "Sat 21 Nov 2026"


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("**x** Mira", r"\*\*x\*\* Mira"),
        (":red[a] $1 `b`", r"\:red\[a\] \$1 \`b\`"),
        ("- Jo", r"\- Jo"),
        ("Gate 5: no access, 12:48", "Gate 5: no access, 12:48"),
        ("Jo \u202e 17, \u2067left\u2069", "Jo  17, left"),
    ],
)
def test_what_people_typed_is_shown_as_typed(typed, written):
    assert format.as_typed(typed) == written


def test_every_status_has_its_own_word_shape_and_colour():
    looks = [palette.STATUS[status] for status in Status]

    for attribute in ("word", "glyph", "shape", "light", "dark"):
        assert len({getattr(look, attribute) for look in looks}) == len(Status)


@pytest.mark.parametrize("dark", [False, True])
def test_a_status_stands_out_from_the_paper_it_is_drawn_on(dark):
    for status in (Status.ON_TIME, Status.LATE, Status.IDLE):
        assert _contrast(palette.STATUS[status].hex(dark), palette.SURFACE[dark]) >= 3.0  # WCAG 2.2, 1.4.11


def test_a_word_nobody_knows_looks_unknown():
    assert palette.look("teleported") is palette.STATUS[Status.UNKNOWN]
    assert palette.badge("late", "3 late") == ":orange-badge[◆ 3 late]"


@pytest.mark.parametrize("dark", [False, True])
def test_the_words_of_every_pill_can_be_read(dark):
    for look in [*palette.STATUS.values(), *palette.OUTCOME.values(), *palette.SEVERITY.values()]:
        behind = look.pill(dark)
        words = "#000000" if palette.luminance(behind) > 0.5 else "#ffffff"  # as Streamlit's tables choose
        assert _contrast(words, behind) >= 4.5, look.word


def test_a_colour_on_which_words_can_be_read_stays_as_it_is():
    assert palette.readable("#0072B2") == "#0072b2"
    assert palette.readable("#A9B4C0") != "#a9b4c0"  # white on it: 2.1


@pytest.mark.parametrize(
    ("base", "stands"), [("", "/kpis?kpi=x"), ("ops/tower", "/ops/tower/kpis?kpi=x"), ("/ops/", "/ops/kpis?kpi=x")]
)
def test_links_keep_to_the_path_that_a_proxy_gives_the_app(monkeypatch, base, stands):
    monkeypatch.setattr(shell.st, "get_option", {"server.baseUrlPath": base}.get)

    assert shell.address("kpis?kpi=x") == stands


@pytest.mark.parametrize(
    ("clock", "as_of", "says"),
    [
        (shell.Clock(NOON, NOON), None, "Live] as of **12:48:06 CET**"),
        (shell.Clock(NOON, NOON - timedelta(minutes=14)), None, "Silent for 14\u202fmin] as of **12:34:06 CET**"),
        (
            shell.Clock(NOON, NOON - timedelta(minutes=14), silent=("Telematics",)),
            None,
            "warning: Telematics: silent for 14\u202fmin] as of **12:34:06 CET**",
        ),
        (
            shell.Clock(NOON, NOON, silent=("Telematics", "Scanners", "WMS")),
            None,
            ":yellow-badge[:material/warning: Telematics and 2 more: silent] as of **12:48:06 CET**",
        ),
        (
            shell.Clock(NOON, NOON - timedelta(days=300), live=False),
            None,
            "Recorded] until **Tue 27 Jan 2026, 12:48 CET**",
        ),
        (shell.Clock(NOON, NOON), NOON - timedelta(hours=1), "As known then] **11:48 CET**"),
        (shell.Clock(NOON, None), None, "No data yet]"),
    ],
)
def test_the_badge_says_in_words_what_instant_is_shown(clock, as_of, says):
    assert says in shell.badge_text(clock, as_of, "Europe/Berlin")


def test_the_badge_is_amber_when_data_are_stale_or_the_page_stands_in_the_past():
    stale, past = shell.Clock(NOON, NOON - timedelta(minutes=3)), NOON - timedelta(hours=1)

    assert shell.badge_text(stale, None, "UTC").startswith(":yellow-badge")
    assert shell.badge_text(shell.Clock(NOON, NOON), past, "UTC").startswith(":yellow-badge")
    assert shell.badge_text(shell.Clock(NOON, NOON), None, "UTC").startswith(":blue-badge")


def test_a_map_shows_all_it_is_given_and_berlin_when_that_is_nothing():
    assert camera._fitting([]) == camera.BERLIN
    longitude, latitude, zoom = camera._fitting([(13.0, 52.4), (13.8, 52.6)])
    assert (longitude, latitude) == (13.4, 52.5)
    assert 9 < zoom < 11
    assert camera._fitting([(13.4, 52.5)])[2] == camera.CLOSEST


def _page() -> None:
    from datetime import UTC, date, datetime, timedelta

    import streamlit as st

    from lastmile.ui import shell

    now = datetime(2026, 11, 23, 11, 48, 6, tzinfo=UTC)
    choices = shell.Choices(
        {"D1": "Westhafen", "D2": "Adlershof"},
        {},
        {"S1": "Parcels"},
        date(2026, 10, 26),
        date(2026, 11, 23),
        "Europe/Berlin",
    )
    with shell.bar("Live"):
        clock = shell.Clock(now, now - timedelta(seconds=4))
        view = shell.scope_and_instant("Live", choices, clock, when="period")
    st.session_state["seen"] = view


def test_a_page_opens_on_everything_now_for_the_operator():
    app = AppTest.from_function(_page).run()

    view = app.session_state["seen"]
    assert not app.exception
    assert app.title[0].value == "Live"
    assert view.as_of is None
    assert view.actor == "operator"
    assert (view.scope.depots, view.scope.services) == ((), ())
    assert (view.scope.day_from, view.scope.day_to) == (date(2026, 10, 27), date(2026, 11, 23))


def test_where_there_is_no_login_a_person_says_who_they_are_for_all_pages_of_the_session():
    app = AppTest.from_function(_page).run()

    app.text_input(key="your name").set_value("  Mira   Adler ").run()

    assert app.session_state["seen"].actor == "Mira Adler"
    assert app.run().session_state["seen"].actor == "Mira Adler"
    app.text_input(key="your name").set_value("Mi\u202era\x00\tAdler").run()
    assert app.session_state["seen"].actor == "Mira Adler"
    app.text_input(key="your name").set_value("   ").run()
    assert app.session_state["seen"].actor == "operator"


def _opening() -> None:
    from datetime import UTC, date, datetime, timedelta

    import streamlit as st

    from lastmile.ui import shell

    now = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    choices = shell.Choices(
        {"D1": "Westhafen", "D2": "Adlershof"}, {}, {}, date(2026, 10, 26), date(2026, 11, 24), "Europe/Berlin"
    )
    clock = shell.Clock(now, now - timedelta(seconds=4))
    st.session_state["plainly"] = shell.opens_plainly()
    st.session_state["before"] = shell.plain_view(choices, clock)
    with shell.bar("Live"):
        st.session_state["after"] = shell.scope_and_instant("Live", choices, clock)


def test_what_is_shown_before_the_filters_are_drawn_is_what_they_then_say():
    app = AppTest.from_function(_opening).run()
    assert app.session_state["plainly"]
    assert app.session_state["before"] == app.session_state["after"]
    assert app.session_state["after"].scope.day_to == date(2026, 11, 24)  # half past midnight in Berlin
    assert not app.run().session_state["plainly"]


def test_a_link_with_a_filter_draws_the_filters_first():
    app = AppTest.from_function(_opening)
    app.query_params["depots"] = "Westhafen"
    assert not app.run().session_state["plainly"]
    assert app.session_state["after"].scope.depots == ("D1",)


def test_filters_give_ids_and_a_past_instant_is_read_in_the_depots_zone():
    app = AppTest.from_function(_page).run()

    app.multiselect(key="depots").select("D2").run()
    app.selectbox(key="period").select("Yesterday").run()
    app.session_state["as_of"] = datetime(2026, 11, 23, 11, 0)  # noqa: DTZ001  as a widget gives it
    app.run()

    view = app.session_state["seen"]
    assert view.scope.depots == ("D2",)
    assert (view.scope.day_from, view.scope.day_to) == (date(2026, 11, 22), date(2026, 11, 22))
    assert view.as_of == datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_a_link_keeps_the_scope_in_the_words_of_the_address():
    app = AppTest.from_function(_page).run()
    app.multiselect(key="depots").select("D2").run()

    view = app.session_state["seen"]
    assert view.link(vehicle="V7") == {"depots": ["Adlershof"], "vehicle": "V7"}
    assert view.link(depots="D1") == {"depots": "Westhafen"}


def test_a_filter_with_nothing_to_choose_is_not_shown():
    app = AppTest.from_function(_page).run()

    assert [widget.key for widget in app.multiselect] == ["depots"]


def test_an_instant_that_is_not_yet_past_means_now():
    app = AppTest.from_function(_page).run()
    app.session_state["as_of"] = datetime(2026, 11, 24, 9, 0)  # noqa: DTZ001  as a widget gives it

    assert app.run().session_state["seen"].as_of is None


def _tiles() -> None:
    import math

    from lastmile.ui.tiles import Tile, kpi_row

    kpi_row(
        [
            Tile(
                "On time",
                "93.4 %",
                "Within the first promise.",
                1184,
                "deliveries",
                "−1.2 points",
                "vs. 4-week average",
                "bad",
                "95 %",
                [0.9, 0.95],
            ),
            Tile(
                "OTIF",
                "unknown",
                "Lines on time and in full.",
                0,
                "lines",
                why="no line counts in this source",
                line=[math.nan],
            ),
        ]
    )


def test_every_tile_shows_its_n_and_an_unknown_one_says_why():
    app = AppTest.from_function(_tiles).run()

    assert not app.exception
    assert [metric.value for metric in app.metric] == ["93.4 %", ":gray[unknown]"]
    assert [caption.value for caption in app.caption] == [
        "n 1\u202f184 deliveries · target 95 %",
        "n 0 lines · :material/info: no line counts in this source",
    ]
    assert app.metric[0].proto.help == "Within the first promise."


def _broken() -> None:
    from lastmile.errors import NotPossible
    from lastmile.ui import errors

    with errors.told():
        raise KeyError("secret column")
    with errors.told():
        raise NotPossible("This plan was replaced at 12:40. Open the newest one.")


def test_an_error_reaches_a_person_as_a_sentence_with_a_reference_and_the_log_as_a_traceback(caplog):
    app = AppTest.from_function(_broken).run()

    told, plain = (error.value for error in app.error)
    assert "secret column" not in told
    assert "reference" in told
    assert plain == "This plan was replaced at 12:40. Open the newest one."
    assert not app.exception
    logged = [record for record in caplog.records if record.name == "lastmile.ui"]
    assert [record.exc_info is not None for record in logged] == [True]
    assert logged[0].args[0] in told


def _ticking() -> None:
    import pandas as pd
    import streamlit as st

    from lastmile.ui import tables

    frame = pd.DataFrame({"exception_id": ["A", "B", "C"], "severity": ["critical", "high", "low"]})
    tables.table(
        frame.iloc[st.session_state.get("order", [0, 1, 2])],
        key="ticks",
        zone="UTC",
        dark=False,
        alt="Ticks",
        columns={"severity": tables.Column("Severity", "status")},
        id_column="exception_id",
        choose_many=lambda ids: st.session_state.update(ticked=ids),
        chosen_many=st.session_state.get("ticked", ("C", "A")),
    )


def test_rows_that_are_ticked_stay_ticked_when_they_change_their_places():
    app = AppTest.from_function(_ticking).run()
    assert app.session_state["ticks"]["selection"]["rows"] == [0, 2]
    assert [list(label) for label in app.dataframe[0].value["severity"]] == [["◆ critical"], ["▲ high"], ["○ low"]]

    app.session_state["order"] = [1, 2, 0]
    app.run()

    assert app.session_state["ticks"]["selection"]["rows"] == [1, 2]
    assert not app.exception


def _table() -> None:
    import pandas as pd
    import streamlit as st

    from lastmile.ui import tables

    frame = pd.DataFrame({"delivery_id": ["A", "B"], "status": ["late", "on time"], "late_minutes": [24.0, 0.0]})
    tables.table(
        frame,
        key="queue",
        zone="UTC",
        dark=False,
        alt="Queue",
        id_column="delivery_id",
        choose=st.session_state.get,
        chosen="B",
    )
    tables.table(frame.head(0), key="none", zone="UTC", dark=False, alt="None", empty="Nothing is late. Well done.")


def test_a_table_shows_shape_and_word_keeps_its_mark_by_id_and_says_when_it_is_empty():
    app = AppTest.from_function(_table).run()

    assert not app.exception
    assert [list(label) for label in app.dataframe[0].value["status"]] == [["◆ late"], ["● on time"]]
    assert app.session_state["queue"]["selection"]["rows"] == [1]
    assert app.info[0].value == "Nothing is late. Well done."
    assert len(app.dataframe) == 1


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        channels = [value / 255 for value in bytes.fromhex(colour.lstrip("#"))]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _numbers() -> None:
    import pandas as pd

    from lastmile.ui import tables

    frame = pd.DataFrame({"late_minutes": [3639.0, -0.2, None], "amount": [1909.0, 0.5, 2.0], "n": [29263, 1, 2]})
    tables.table(frame, key="numbers", zone="UTC", dark=False, alt="Numbers")


def test_a_table_writes_numbers_in_the_words_of_the_tiles_and_keeps_them_as_numbers():
    import pyarrow as pa

    shown = AppTest.from_function(_numbers).run().dataframe[0]

    said = pa.ipc.open_stream(shown.proto.arrow_data.styler.display_values).read_pandas()
    assert (
        said.late_minutes.tolist()[:2]
        == [format.minutes(3639), format.minutes(-0.2)]
        == ["2\u202fd 13\u202fh", "−12\u202fs"]
    )
    assert said.amount[0] == "€\u202f1\u202f909.00"
    assert said.n[0] == "29\u202f263"
    assert shown.value.late_minutes[0] == 3639.0  # what the browser sorts by
    assert pd.isna(shown.value.late_minutes[2])


def _stories() -> None:
    import pandas as pd

    from lastmile.ui import tables

    frame = pd.DataFrame({"delivery_id": ["wms:L1", "a&b c", None]})
    columns = {"delivery_id": tables.Column("Delivery", "story")}
    tables.table(frame, key="stories", zone="UTC", dark=False, alt="Stories", columns=columns)


def test_a_delivery_in_the_rows_behind_a_figure_links_to_its_story():
    shown = AppTest.from_function(_stories).run().dataframe[0].value

    links = ["/deliveries?delivery=wms:L1", "/deliveries?delivery=a%26b%20c"]
    assert shown.delivery_id.tolist()[:2] == links
    assert pd.isna(shown.delivery_id[2])
