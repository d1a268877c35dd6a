"""The one process: pages, routes and the tower behind them. Start it with `streamlit run app.py`."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import streamlit as st

from lastmile import api
from lastmile.ui import errors

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter where another waits for it. By default ten times as long: an answer that changes
threads a few times would then wait that often for what is worked out in the background."""


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Open the store before the first page, close it after the last; what is imported by then is never collected."""
    from lastmile import runtime
    from lastmile.routing import workers
    from lastmile.ui import charts, maps  # noqa: F401  heavy: loaded once here, not on somebody's first page

    sys.setswitchinterval(SWITCH_SECONDS)
    await anyio.to_thread.run_sync(runtime.start)
    await anyio.to_thread.run_sync(runtime.predict_arrivals)
    await anyio.to_thread.run_sync(runtime.send_notices)
    await anyio.to_thread.run_sync(api.draw_basemap)
    workers.shared().warm()  # so that the first re-optimization need not wait for its processes
    gc.collect()
    gc.freeze()  # Streamlit collects after each run: 120 → 35 ms measured
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(runtime.stop)
        workers.shared().close()


app = st.App("lastmile/ui/tower.py", routes=api.routes(), lifespan=lifespan, on_script_error=errors.tell)
