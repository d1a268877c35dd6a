"""What the operation's own fortnight teaches beside travel times: stops, drivers, the dock, and what another try costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from lastmile.replanning.travel import fortnight_before, learned_service, learned_travel, travel_for
from lastmile.routing import GreatCircleTravel
from lastmile.routing.travel import Travel
from lastmile.routing.travel.learning import Learned
from lastmile.store import Store

PRIOR_STOPS = 30
"""A driver's pace is drawn to that of all as if so many more stops had been made at it: stops of one driver scatter about
a third around their mean, drivers of the demo by a tenth of each other, and (0.33 / 0.06)² ≈ 30."""

ANOTHER_TRY = 12.0
"""What a second try costs where no route of the fortnight has a cost, in the depot's currency. Assumption."""

STAGING_MINUTES = 45.0
"""From the release to the dock, where no delivery of the fortnight tells. Assumption."""


@dataclass(frozen=True)
class Experience:
    """Learned before a day: `service` is minutes taken ÷ planned by service, `pace` the driver's share of that by driver,
    `another_try` money by service, `staging` minutes from release to dock by service."""

    travel: Travel = field(default_factory=GreatCircleTravel)
    learned: Learned | None = None
    service: Mapping[str, float] = field(default_factory=dict)
    pace: Mapping[str, float] = field(default_factory=dict)
    another_try: Mapping[str, float] = field(default_factory=dict)
    staging: Mapping[str, float] = field(default_factory=dict)


def experience_before(store: Store, depot_id: str, day: date) -> Experience:
    """What the fortnight before a day teaches for a depot. Raises NotPossible where the road network's setting can't be read."""
    learned = learned_travel(store, depot_id, **fortnight_before(day))
    service = learned_service(store, day)
    return Experience(
        travel=travel_for(learned),
        learned=learned,
        service=service,
        pace=driver_pace(store, day, service),
        another_try=another_try(store, day),
        staging=staging_minutes(store, day),
    )


def driver_pace(store: Store, day: date, service: Mapping[str, float]) -> dict[str, float]:
    """Driver → what their stops took ÷ what those of all drivers would have, drawn to 1 by PRIOR_STOPS usual stops.

    pace = (Σ minutes + k·m) ÷ (Σ usual minutes + k·m), where m is the mean usual stop of the driver and k the prior: an
    empirical-Bayes mean of ratios.
    """
    found = store.ask(
        """
        with known as (
            select driver_id, service_minutes * list_extract($factors, list_position($services, service)) as usual,
                minutes_between(coalesce(service_started_at, arrived_at), departed_stop_at) as minutes
            from delivery
            where day between $day_from and $day_to and handed_over_at is not null and service_minutes > 0
              and driver_id is not null and list_contains($services, service)
        )
        select driver_id, (sum(minutes) + $prior * avg(usual)) / (sum(usual) + $prior * avg(usual)) as pace
        from known where minutes between 0 and 120 group by driver_id
        """,
        factors=list(service.values()),
        services=list(service),
        prior=PRIOR_STOPS,
        **fortnight_before(day),
    )
    return dict(zip(found.driver_id, found.pace, strict=True))


def another_try(store: Store, day: date) -> dict[str, float]:
    """Service → what a visit has cost on average, handed over or not: the price of having to come again."""
    found = store.ask(
        """
        select service, avg(cents) / 100 as cost
        from drop_cost(null, $day_from::date, $day_to::date)
        where kind = 'visit' and service is not null and cents is not null group by service
        """,
        **fortnight_before(day),
    )
    return dict(zip(found.service, found.cost, strict=True))


def staging_minutes(store: Store, day: date) -> dict[str, float]:
    """Service → minutes from the release of goods to the dock, the median."""
    found = store.ask(
        """
        select service, median(minutes_between(released_at, staged_at)) as minutes from delivery
        where day between $day_from and $day_to and staged_at >= released_at and service is not null group by service
        """,
        **fortnight_before(day),
    )
    return dict(zip(found.service, found.minutes, strict=True))
