"""Work beside the pages."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from lastmile.jobs import GIVING_WAY, give_way


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no niceness of its own")
def test_a_thread_gives_way_alone_and_the_others_stay_as_they_were():
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before, found = niceness(), []
    thread = threading.Thread(target=lambda: (give_way(), found.append(niceness())))
    thread.start()
    thread.join()

    assert found == [GIVING_WAY]
    assert niceness() == before != GIVING_WAY
