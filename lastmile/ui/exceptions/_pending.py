"""Stands in until the core has it."""

import json

from lastmile.exceptions.deciding import STEPS


def history(store, exception_id, at):
    f = store.ask(
        "select occurred_at, type, actor, status_source='user' as by_person, payload from exception_event where payload ->> 'exception_id' = $id and recorded_at <= $at order by recorded_at",
        id=exception_id,
        at=at,
    )
    f["step"] = [STEPS.get(t, t) for t in f.type]
    f["words"] = [
        " · ".join(
            str(v) for k, v in json.loads(p).items() if k in ("why", "words", "owner", "until", "outcome", "text")
        )
        for p in f.payload
    ]
    return f
