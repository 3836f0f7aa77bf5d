"""An entry of the collection, as its schema (version 1) has it."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import attrs
from msgspec import Meta

DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Time = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-4]):[0-5][0-9]$")]
Month = Annotated[int, Meta(ge=0, le=11)]


@attrs.frozen(kw_only=True)
class Interval:
    """When a band is charged."""

    days: Literal["all", "weekday", "weekend"] | list[DayName]
    from_: Time
    to: Time
    band: str


@attrs.frozen(kw_only=True)
class Step:
    """A tier of a band."""

    rate: Decimal
    upTo: Decimal | None = None


@attrs.frozen(kw_only=True)
class Band:
    """A band of rates."""

    id: str
    name: str
    rate: Decimal
    role: str | None = None
    color: str | None = None
    seasonRates: dict[str, Decimal] | None = None
    tiers: list[Step] | None = None


@attrs.frozen(kw_only=True)
class Rates:
    """What is charged for imports, or paid for exports."""

    flatRate: Decimal | None = None
    bands: list[Band] | None = None
    schedule: list[Interval] | None = None


@attrs.frozen(kw_only=True)
class Supply:
    """What is charged for each day."""

    daily: Decimal


@attrs.frozen(kw_only=True)
class Season:
    """Months, counted from 0, both included."""

    id: str
    name: str
    from_: Month
    to: Month


@attrs.frozen(kw_only=True)
class Plan:
    """The tariff of an entry."""

    kind: Literal["flat", "tou"]
    import_: Rates
    validFrom: date | None = None
    supply: Supply | None = None
    export: Rates | None = None
    controlledLoad: list[Any] | None = None
    seasons: list[Season] | None = None
    demand: list[Any] | None = None


@attrs.frozen(kw_only=True)
class Entry:
    """An entry; of its `meta` only what a tariff needs is looked at."""

    meta: dict[str, Any]
    tariff: Plan
