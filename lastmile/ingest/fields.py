"""The fields that a mapping may fill: one catalogue, from which validation, the guess and the templates' guide are made."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("orders", "deliveries", "events", "positions", "routes", "vehicles", "milestones")
BOOKED_KINDS = ("orders", "deliveries")
EVENT_KINDS = ("orders", "deliveries", "events", "positions")


@dataclass(frozen=True)
class Field:
    """What a column may mean: `type` is text, id, time, date, number, whole, flag, list, place or words; `unit` as stored."""

    name: str
    type: str
    meaning: str
    unit: str = ""
    headers: tuple[str, ...] = ()  # how files call it, in lower case with single spaces


def _by_name(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


_KEY = Field(
    "key",
    "id",
    "The delivery's own number in the system that wrote the file.",
    headers=(
        "delivery id",
        "delivery",
        "order id",
        "order number",
        "order no",
        "order",
        "id",
        "name",
        "task id",
        "shipment id",
        "tracking number",
        "parcel id",
        "reference",
    ),
)
_LON = Field(
    "lon", "number", "Longitude of the site, WGS 84, degrees.", "deg", ("lon", "lng", "long", "longitude", "x")
)
_LAT = Field("lat", "number", "Latitude of the site, WGS 84, degrees.", "deg", ("lat", "latitude", "y"))
_PLACE = Field(
    "place",
    "place",
    "Both coordinates in one cell, such as '48.1, 11.6' or [11.6, 48.1].",
    headers=("coordinates", "location", "latlng", "lat lng", "geo", "gps", "position"),
)
_RECORDED = Field(
    "recorded_at",
    "time",
    "When the system learnt of it; scan latency is this minus when it happened.",
    headers=("recorded at", "received at", "server time", "servertime", "created in system"),
)
_ROUTE = Field(
    "route_id", "id", "The route: one vehicle on one shift.", headers=("route id", "route", "route name", "tour")
)
_VEHICLE = Field(
    "vehicle_id",
    "id",
    "The vehicle.",
    headers=("vehicle id", "vehicle", "vehicle name", "van", "truck", "device id", "deviceid", "unit"),
)
_DEPOT = Field("depot_id", "id", "The depot it starts from.", headers=("depot id", "depot", "warehouse", "hub", "city"))
_CARRIER = Field(
    "carrier_id", "id", "Who drives: own fleet, contractor or third party.", headers=("carrier id", "carrier")
)
_ACTOR = Field(
    "actor",
    "text",
    "The driver, or who else did it.",
    headers=("driver", "driver name", "courier", "courier id", "worker", "driver id", "actor"),
)
_SKILLS = Field("skills", "list", "What a vehicle must be able to do; several divided by | or ;.", headers=("skills",))

BOOKING = _by_name(
    _KEY,
    Field("order_id", "id", "The customer's order; several deliveries may share one.", headers=("order id", "order number")),
    Field("kind", "words", "delivery or pickup.", headers=("order type", "type", "job type")),
    _DEPOT,
    _CARRIER,
    Field("service", "text", "The kind of service, such as parcels.", headers=("service", "service type", "product")),
    Field("criticality", "words", "routine, time_critical, regulated or milestone.", headers=("criticality",)),
    Field("day", "date", "The service day, in the file's zone.", headers=("date", "day", "delivery date", "service date")),
    Field(
        "window_from", "time", "Start of the promised window.",
        headers=("window from", "window start", "time window start", "time window from", "promised from", "complete after",
                 "earliest", "from"),
    ),
    Field(
        "window_due", "time", "End of the promised window.",
        headers=("window due", "window end", "time window end", "time window to", "promised to", "promised by", "due",
                 "complete before", "latest", "to", "deadline", "due at"),
    ),
    Field("release_due", "time", "By when the warehouse must have released the goods.", headers=("release due", "cut off")),
    _RECORDED,
    Field("site_id", "id", "The place it goes to, where it has a number.", headers=("site id", "site", "location id", "customer id")),
    Field("recipient", "text", "Who receives it.", headers=("recipient", "customer", "customer name", "receiver", "stop name")),
    # no headers: a column of e-mail addresses is hashed unless a mapping names it
    Field("email", "text", "The e-mail address where the recipient is told of delays and changes."),
    Field("language", "text", "The recipient's language, en or de.", headers=("language",)),
    Field("address", "text", "Street, number and town.", headers=("address", "street", "full address", "destination")),
    Field("postcode", "id", "Postal code; joined to the address.", headers=("postcode", "postal code", "zip", "zip code", "plz")),
    Field("area", "text", "The part of the city.", headers=("area", "zone", "district", "region", "region id")),
    _LON,
    _LAT,
    _PLACE,
    Field("weight_kg", "number", "Weight.", "kg", ("weight", "weight kg", "weight lb", "weight lbs", "gross weight")),
    Field("volume_m3", "number", "Volume.", "m3", ("volume", "volume m3", "cbm")),
    Field("pieces", "number", "Number of pieces.", headers=("pieces", "quantity", "qty", "packages", "parcels")),
    Field("lines", "whole", "Number of order lines.", headers=("lines", "order lines")),
    Field("service_minutes", "number", "Planned time at the site.", "min", ("service minutes", "duration", "service time")),
    _SKILLS,
    Field("proof", "list", "What a complete proof needs; several divided by | or ;.", headers=("proof", "proof required")),
    Field("penalty", "number", "What a broken promise costs.", headers=("penalty",)),
    Field("value", "number", "Worth of the goods.", headers=("value", "amount", "total price")),
    Field("currency", "text", "Currency of penalty and value, such as EUR.", headers=("currency",)),
    Field("notes", "text", "Access notes.", headers=("notes", "note", "instructions", "remarks", "comment")),
)  # fmt: skip

EVENT = _by_name(
    _KEY,
    Field(
        "time", "time", "When it happened.",
        headers=("occurred at", "time", "timestamp", "event time", "fix time", "fixtime", "device time", "devicetime", "datetime"),
    ),
    _RECORDED,
    Field("status", "text", "What happened, in the file's own words; the status map says what they mean.",
          headers=("event", "status", "event type", "state", "type")),
    Field("event_key", "id", "The event's own number, where the system has one.", headers=("event id", "event key")),
    _ROUTE,
    _VEHICLE,
    _DEPOT,
    _LON,
    _LAT,
    _PLACE,
    Field("accuracy_m", "number", "Accuracy of the position.", "m", ("accuracy", "accuracy m", "gps accuracy")),
    Field("reason", "text", "Why it failed or was late, in the file's own words.",
          headers=("reason", "failure reason", "reason code")),
    _ACTOR,
    Field("classifier", "words", "ACT happened, PLN planned, EST estimated.", headers=("classifier",)),
    Field("status_source", "words", "Who said so: driver, geofence, api, carrier, …", headers=("status source",)),
)  # fmt: skip

# payload key → how it is read; a unit where the payload has one
PAYLOAD = _by_name(
    Field("handed_to", "text", "recipient, neighbour, locker or safe_place.", headers=("handed to",)),
    Field("lines_delivered", "number", "Order lines handed over.", headers=("lines delivered",)),
    Field("proof", "list", "What was proven: signature, photo, temperature, documents.", headers=("proof", "proof given")),
    Field("documents_right", "flag", "Were the documents right?", headers=("documents right",)),
    Field("service_started_at", "time", "When service began.", headers=("service started at",)),
    Field("contact", "flag", "Was the recipient met or spoken to?", headers=("contact",)),
    Field("speed_kmh", "number", "Speed.", "km/h", ("speed", "speed kmh", "speed kn", "speed mph", "speed knots")),
    Field("celsius", "number", "Temperature.", "C", ("celsius", "temperature", "temp")),
    Field("distance_km", "number", "Distance driven.", "km", ("distance", "distance km", "distance mi", "distance miles")),
    Field("why", "text", "A remark.", headers=()),
)  # fmt: skip

ROUTES = _by_name(
    _ROUTE,
    _VEHICLE,
    _DEPOT,
    _CARRIER,
    Field("driver_id", "id", "The driver.", headers=("driver id", "driver", "driver name", "assigned driver username")),
    Field("day", "date", "The working day, in the file's zone.", headers=("day", "date")),
    Field("stop", "whole", "Place in the driving order, from 1.", headers=("stop", "stop number", "sequence", "stop no")),
    _KEY,
    Field("arrive_at", "time", "Planned arrival.",
          headers=("arrive at", "arrival", "planned arrival", "scheduled at", "stop arrival time")),
    Field("service_at", "time", "Planned start of service.", headers=("service at", "service start")),
    Field("depart_at", "time", "Planned departure from the stop.", headers=("depart at", "departure", "stop departure time")),
    Field("departs_at", "time", "Planned start of the route.", headers=("departs at", "route start")),
    Field("returns_at", "time", "Planned end of the route.", headers=("returns at", "route end")),
    Field("distance_km", "number", "From the stop before.", "km", ("distance km", "distance", "distance mi")),
    Field("drive_minutes", "number", "From the stop before.", "min", ("drive minutes", "travel time")),
)  # fmt: skip

VEHICLES = _by_name(
    _VEHICLE,
    Field("name", "text", "What people call it.", headers=("name", "registration")),
    _DEPOT,
    _CARRIER,
    Field("kind", "text", "Van, truck, bicycle, …", headers=("kind", "type", "vehicle type")),
    Field("capacity_kg", "number", "What it may carry.", "kg", ("capacity kg", "capacity lb", "payload")),
    Field("capacity_m3", "number", "What it may carry.", "m3", ("capacity m3",)),
    Field("capacity_pieces", "number", "What it may carry.", headers=("capacity pieces",)),
    _SKILLS,
)

MILESTONES = _by_name(
    Field("milestone_id", "id", "The milestone.", headers=("milestone id", "id", "activity id", "unique id", "task id")),
    Field("project", "text", "The project it belongs to.", headers=("project", "project name")),
    Field("name", "text", "What it is.", headers=("name", "task name", "activity name")),
    Field("need_by", "time", "The latest instant on site that keeps the crew working.",
          headers=("need by", "finish", "start", "need by date")),
    Field("crew_size", "number", "How many people wait.", headers=("crew size", "crew")),
    Field("crew_rate", "number", "What an hour of one of them costs.", headers=("crew rate", "hourly rate")),
    Field("currency", "text", "Currency of the rate.", headers=("currency",)),
    Field("float_days", "number", "Working days it may slip.", headers=("float days", "total float", "total slack")),
    Field("deliveries", "list", "The deliveries it needs; several divided by | or ;.", headers=("deliveries", "delivery ids")),
)  # fmt: skip

COLUMNS: dict[str, dict[str, Field]] = {
    "orders": BOOKING,
    "deliveries": BOOKING | {"route_id": _ROUTE, "vehicle_id": _VEHICLE, "actor": _ACTOR},
    "events": EVENT,
    "positions": EVENT,
    "routes": ROUTES,
    "vehicles": VEHICLES,
    "milestones": MILESTONES,
}
REQUIRED: dict[str, tuple[str, ...]] = {
    "orders": ("key",),
    "deliveries": ("key",),
    "events": ("time", "status"),
    "positions": ("time", "vehicle_id"),
    "routes": ("route_id", "vehicle_id", "depot_id", "key", "arrive_at"),
    "vehicles": ("vehicle_id",),
    "milestones": ("milestone_id", "need_by"),
}
EVENT_ENTRY = {name: field for name, field in EVENT.items() if name != "key"}

# unit in a file → factor to the stored unit, by stored unit (exact by definition: pound, mile, knot, foot)
UNITS: dict[str, dict[str, float]] = {
    "kg": {"kg": 1.0, "lb": 0.45359237, "g": 0.001, "t": 1000.0},
    "km": {"km": 1.0, "mi": 1.609344, "m": 0.001},
    "km/h": {"km/h": 1.0, "kn": 1.852, "mph": 1.609344, "m/s": 3.6},
    "min": {"min": 1.0, "s": 1 / 60, "h": 60.0},
    "m3": {"m3": 1.0, "l": 0.001, "ft3": 0.028316846592},
    "m": {"m": 1.0, "ft": 0.3048},
    "C": {"C": 1.0, "F": 1 / 1.8},
    "deg": {"deg": 1.0},
    "": {"": 1.0},
}
WORDS = {
    "kind": ("delivery", "pickup"),
    "criticality": ("routine", "time_critical", "regulated", "milestone"),
    "classifier": ("ACT", "PLN", "EST"),
    "status_source": ("driver", "geofence", "api", "carrier", "import", "inferred", "system", "user"),
}
