"""The sender: takes what is due from the ledger, tries it by its channel, and puts on record what came of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from lastmile.decisions import events_frame
from lastmile.errors import NotPossible
from lastmile.jobs import Background
from lastmile.model import Event, EventType
from lastmile.notifications import outbox, settings
from lastmile.notifications.asking import EMAIL, WEBHOOK, over_words
from lastmile.notifications.channel import Came, Channel, Notice, Tried
from lastmile.notifications.filling import clock_time
from lastmile.notifications.happening import known, notice_event
from lastmile.notifications.mail import Mail
from lastmile.notifications.timing import Drop, Wait, may_go, next_try
from lastmile.notifications.webhook import Webhooks
from lastmile.store import Store

EVERY_SECONDS = 2.0
MOST_AT_ONCE = 500
LOOK_AGAIN = timedelta(minutes=1)
"""What waits for something that no event tells of, a channel or the end of quiet hours, is looked at again after so long."""

log = logging.getLogger(__name__)


def channels_of(store: Store) -> dict[str, Channel]:
    """The ways that there are, as the environment sets them up."""
    return {EMAIL: Mail.of_environment(), WEBHOOK: Webhooks(lambda: settings.signing_secret(store))}


class Sender(Background):
    """Sends in the background, at least once: a notice that was handed over just before a kill goes out again, with the same id.

    `now` is the tower's instant; `held_up` says in words why nothing may go to a host now (None: it may).
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        held_up: Callable[[str], str | None] = lambda _: None,
        channels: Mapping[str, Channel] | None = None,
    ) -> None:
        super().__init__("notices")
        self._store, self._now, self._held_up = store, now, held_up
        self.channels = dict(channels or channels_of(store))
        self._stepping = threading.Lock()
        self._heard: int | None = None
        self._look_again: datetime | None = None

    def why_not(self, channel: str, address: str) -> str | None:
        """Why nothing can be sent by a channel to an address now; None where it can."""
        way = self.channels.get(channel)
        if way is None:
            return f"Not sent: there is no channel {channel}"
        if way.missing:
            return f"Not sent: {way.missing}"
        held_up = self._held_up(way.where(_addressed(address)))
        return None if held_up is None else f"Not sent: {held_up}"

    def waits_for(self, row: Any, at: datetime, rules: settings.Settings) -> str:
        """What a waiting notice waits for, in words."""
        why_not = self.why_not(row.channel, row.address)
        if why_not:
            return why_not
        verdict = may_go(at, row.zone, rules, useful_until=known(row.useful_until), urgent=row.urgent, over=None)
        due = known(row.next_try_at)
        if due is not None and due > at:
            return f"{row.words}; next try {clock_time(due, row.zone)}"
        if isinstance(verdict, Wait):
            return f"Quiet hours until {clock_time(verdict.until, row.zone)}"
        return "About to be sent"

    def step(self) -> int:
        """Try what is due, once; returns how many notices were tried. What no channel can take waits, and is never called sent."""
        with self._stepping:
            at, heard = self._now(), self._events()  # what comes in meanwhile is news at the next look
            rules, unreachable, tried = settings.load(self._store), set(), 0
            looks: list[datetime] = []
            try:
                for row in outbox.waiting(self._store, at).itertuples(index=False):
                    if self._stopped.is_set() or tried >= MOST_AT_ONCE:
                        looks.append(at)
                        break
                    again, was_tried = self._take(row, at, rules, unreachable)
                    tried += was_tried
                    looks += [again] if again else []
            finally:
                for channel in self.channels.values():
                    channel.close()
            self._look_again = min(looks, default=None)
            self._heard = heard
            return tried

    def send_now(self, notice_id: str) -> str:
        """Try one notice at once, whatever the clock says, and tell what came of it: for a test that a person asked for."""
        with self._stepping:
            [row] = outbox.named(self._store, [notice_id]).itertuples(index=False)
            channel = self.channels[row.channel]
            if channel.missing:
                raise NotPossible(f"Not sent: {channel.missing}.")
            try:
                came = channel.send(notice_of(row))
            finally:
                channel.close()
            self._record(row, came, self._now(), last=True)
            return came.words

    def _take(
        self, row: Any, at: datetime, rules: settings.Settings, unreachable: set[str]
    ) -> tuple[datetime | None, bool]:
        """Deal with one notice: when to look at it again (None: it is settled), and whether it was tried."""
        due = known(row.next_try_at)
        over = (
            over_words(row.resolved, row.delivery_state) if row.while_open and known(row.resolved) is not None else None
        )
        verdict = may_go(at, row.zone, rules, useful_until=known(row.useful_until), urgent=row.urgent, over=over)
        why_not = self.why_not(row.channel, row.address)
        if isinstance(verdict, Drop):
            words = f"{verdict.why}. {why_not}" if why_not else verdict.why
            self._append([notice_event(row, EventType.NOTIFICATION_DROPPED, at, "dropped", words=words)])
            return None, False
        if due is not None and due > at:
            return due, False
        if isinstance(verdict, Wait):
            return min(verdict.until, at + LOOK_AGAIN), False
        channel, notice = self.channels.get(row.channel), notice_of(row)
        if why_not is not None or channel.where(notice) in unreachable:
            return at + LOOK_AGAIN, False
        came = channel.send(notice)
        if came.unreachable:
            unreachable.add(channel.where(notice))
        return self._record(row, came, at), True

    def _record(self, row: Any, came: Tried, at: datetime, last: bool = False) -> datetime | None:
        """Put on record what came of a try; returns when the next one is due, None where there is none."""
        tries = int(row.tries) + 1
        if came.came in (Came.SENT, Came.DELIVERED):
            events = [notice_event(row, EventType.NOTIFICATION_SENT, at, "sent", words=came.words)]
            if came.came is Came.DELIVERED:
                events.append(
                    notice_event(
                        row, EventType.NOTIFICATION_DELIVERED, at, "delivered", words=came.words, receipt=row.channel
                    )
                )
            self._append(events)
            return None
        again = None if last or came.came is Came.REFUSED else next_try(row.notice_id, tries, at, came.again_after)
        if again is None:
            words = came.words + (f" (after {tries} tries)" if tries > 1 else "")
            self._append([notice_event(row, EventType.NOTIFICATION_FAILED, at, "failed", words=words, tried=True)])
            return None
        said = {"words": came.words, "next_try_at": again.isoformat()}
        self._append([notice_event(row, EventType.NOTIFICATION_DEFERRED, at, f"deferred {tries}", **said)])
        return again

    def _append(self, events: Iterable[Event]) -> None:
        self._store.append({"event": events_frame(list(events))}, streamed=True)

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                if self._is_time():
                    self.step()
            except Exception:
                log.exception("Notices were not sent this time; they are tried again")

    def _is_time(self) -> bool:
        """Whether something has happened to notices since the last step, or one is due: else there is nothing to read."""
        if self._heard is None or self._events() != self._heard:
            return True
        return self._look_again is not None and self._now() >= self._look_again

    def _events(self) -> int:
        return self._store.value("select count(*) from notice_event")


def notice_of(row: Any) -> Notice:
    """A row of the outbox as what is sent."""
    return Notice(
        row.notice_id, row.template, row.audience, row.address, known(row.name) or "", row.language,
        row.subject, row.body, row.change, row.asked_at.to_pydatetime(), known(row.delivery_id),
    )  # fmt: skip


def _addressed(address: str) -> Notice:
    return Notice("", "", "", address, "", "en", "", "", "", datetime.min)  # noqa: DTZ901 (never sent)
