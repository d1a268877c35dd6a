"""The rows of a plan version that the simulated vehicles are to follow."""

from __future__ import annotations

from lastmile.store import Store


def plan_tables(store: Store, plan_id: str) -> dict:
    """The rows of a plan version by table: plan, route, planned_stop."""
    return {
        table: store.ask(f"from {table} where plan_id = $plan_id", plan_id=plan_id)
        for table in ("plan", "route", "planned_stop")
    }
