"""What is wrong with the simulated operation, on purpose. Only the simulation and its tests read this."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from lastmile.twin import chance


@dataclass(frozen=True)
class Cause:
    """One thing put in: where it lies, how strong it is, and the reason or KPI in which it must show."""

    key: str
    where: str
    strength: float
    shows_in: str
    meaning: str


@dataclass(frozen=True)
class Discipline:
    """How a system scans: minutes until half of its scans are known, sigma of their logarithm, share never sent."""

    median_minutes: float
    spread: float
    missing: float


LATE_RELEASE_DEPOT = "GRB"
LATE_RELEASE_SHARE_OF_DAYS = 0.28
LATE_RELEASE_MINUTES = 400.0
BAD_ADDRESS_AREA = "Treptow"
BAD_ADDRESS_SHARE = 0.20
BAD_ADDRESS_FAILS = 0.55
LATE_SCANS_SOURCE = "barnim"
AFTERNOON_AREAS = ("Prenzlauer Berg", "Friedrichshain", "Kreuzberg")
AFTERNOON_FROM_MINUTE = 14 * 60
AFTERNOON_OUT = 0.17
BROKEN_PROOF_DRIVER = "D-WHF-02"
BROKEN_PROOF_SHARE = 0.6
BREAKDOWNS_PER_VEHICLE_DAY = 0.0045
SHAM_TRIES_CARRIER = "barnim"
SHAM_TRIES = 0.012

DISCIPLINE = {
    "wms": Discipline(0.4, 0.5, 0.001),
    "telematics": Discipline(0.4, 0.7, 0.003),
    "havel": Discipline(2.0, 0.8, 0.008),
    "barnim": Discipline(38.0, 1.0, 0.07),
    "panke": Discipline(8.0, 0.6, 0.012),
}


def causes() -> tuple[Cause, ...]:
    """All that was put in, with the strengths that the simulation uses."""
    return (
        Cause(
            "late_release",
            LATE_RELEASE_DEPOT,
            LATE_RELEASE_SHARE_OF_DAYS,
            "late_release",
            "on this share of its days the depot releases hours after the cut-off, and its vans leave late",
        ),
        Cause(
            "bad_addresses",
            BAD_ADDRESS_AREA,
            BAD_ADDRESS_SHARE,
            "address_wrong_or_incomplete, cannot_locate",
            "this share of the sites of the area has a place that is 0.5 to 1.8 km off; most first tries there fail",
        ),
        Cause(
            "late_scans",
            LATE_SCANS_SOURCE,
            DISCIPLINE[LATE_SCANS_SOURCE].missing,
            "scan latency, missing_scan_rate",
            "the carrier's scans come in half an hour and more afterwards, and this share of them never",
        ),
        Cause(
            "afternoon_absence",
            ", ".join(AFTERNOON_AREAS),
            AFTERNOON_OUT,
            "recipient_unavailable",
            "after 14:00 this share of parcel recipients in these areas is out",
        ),
        Cause(
            "broken_proofs",
            BROKEN_PROOF_DRIVER,
            BROKEN_PROOF_SHARE,
            "proof_complete_rate",
            "this share of the driver's handovers lacks a part of the proof",
        ),
        Cause(
            "breakdowns",
            "any vehicle",
            BREAKDOWNS_PER_VEHICLE_DAY,
            "vehicle_breakdown",
            "chance that a vehicle breaks down on a day it drives; its open deliveries wait for the next day",
        ),
        Cause(
            "sham_tries",
            SHAM_TRIES_CARRIER,
            SHAM_TRIES,
            "no_genuine_attempt",
            "this share of the carrier's parcel stops is reported as a failed try from far away, without a contact",
        ),
    )


def releases_late(seed: int, depot_id: str, day: date) -> bool:
    """Whether a depot has one of its late days."""
    if depot_id != LATE_RELEASE_DEPOT:
        return False
    return bool(chance.uniform(seed, "late release", day.toordinal()) < LATE_RELEASE_SHARE_OF_DAYS)
