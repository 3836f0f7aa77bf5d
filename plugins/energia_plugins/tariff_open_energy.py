"""The importer `open-energy-tariffs`: entries of the open-energy-tariffs collection, version 1."""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import (
    Currency,
    Fault,
    Imported,
    ImportOptions,
    ImportWarning,
    Invalid,
    TariffImporter,
    hookimpl,
    structure,
)

__all__ = ["OpenEnergyImporter"]

DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

Time = Annotated[
    str,
    Meta(
        pattern=r"^([01][0-9]|2[0-4]):[0-5][0-9]$",
        extra={"words": "a time of day from 00:00 to 24:00"},
    ),
]

Month = Annotated[int, Meta(ge=0, le=11)]

_OTHER: Final = re.compile(r"[^A-Za-z0-9_-]+")

_NAME: Final = 500

_EVER: Final = "1900-01-01"

#: Whose energy tiers count together, where nobody says.
_SCOPE: Final = "per_period"

#: What other records have that people send by mistake.
_OTHERS: Final[Mapping[str, str]] = {
    "energyratestructure": "it is a rate of the US rate database: import it with format=urdb",
    "chargeOwner": "raw price lists of Energinet are not read, only entries made of them",
    "single_register_electricity_tariffs": "raw products of Octopus are not read",
    "display_name": "raw products of Octopus are not read",
    "data": "raw plans of the Consumer Data Right are not read, only entries made of them",
}

_OF_META: Final = ("provider", "plan", "currency", "timezone")


@attrs.frozen
class OpenEnergyImporter:
    """Reads one entry."""

    format: str = "open-energy-tariffs"
    description: str = (
        "Entries of the open-energy-tariffs collection (schema version 1): flat and time-of-use "
        "plans with a daily supply charge and a feed-in tariff."
    )

    examples: ClassVar[tuple[Any, ...]] = (
        {
            "meta": {"provider": "Acme", "plan": "Night", "currency": "AUD"},
            "tariff": {
                "kind": "tou",
                "supply": {"daily": "1.10"},
                "import": {
                    "bands": [{"id": "day", "name": "Day", "rate": "0.3"}],
                    "schedule": [{"days": "all", "from": "00:00", "to": "24:00", "band": "day"}],
                },
            },
        },
    )

    def read(self, document: object, options: ImportOptions) -> Imported:
        """Return the tariff of *document*; raises `Invalid` with all faults."""
        entry = _entry(document)
        faults, warnings = list(_faults(entry)), list(_warnings(entry, options))
        if faults:
            raise Invalid.of_all(faults)
        exports = options.exports == "include"
        version = {
            "valid_from": str(entry.tariff.validFrom or _EVER),
            "rounding": {"amount_decimals": None},
            "charges": list(charges(entry.tariff, options, exports=exports)),
        }
        tariff = {
            "name": _name(entry.meta),
            "currency": options.currency or str(entry.meta.get("currency", "USD")),
            "timezone": options.timezone,
            "versions": [version],
        }
        return Imported(tariff, tuple(warnings))


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


def _entry(document: object) -> Entry:
    if isinstance(document, dict) and "tariff" not in document:
        for key, message in _OTHERS.items():
            if key in document:
                raise Invalid.of("other_format", message, "")
    return structure(document, Entry)


def _faults(entry: Entry) -> Iterator[Fault]:
    """Yield the faults that the types of the entry do not find."""
    plan = entry.tariff
    currency = entry.meta.get("currency", "USD")
    try:
        structure(currency, Currency)
    except Invalid:
        yield Fault("unknown_currency", f"there is no currency {currency!r}", "/meta/currency")
    unit = entry.meta.get("unit", "kWh")
    if unit != "kWh":
        yield Fault("unknown_unit", f"rates must be for a kWh, not for {unit!r}", "/meta/unit")
    if plan.demand:
        message = "the schema reserves demand and does not say what it means: it is not priced"
        yield Fault("not_supported", message, "/tariff/demand")
    seasons = {season.id for season in plan.seasons or ()}
    for name, rates in (("import", plan.import_), ("export", plan.export)):
        pointer = f"/tariff/{name}"
        if rates is None:
            continue
        if rates.flatRate is None and not (rates.bands and rates.schedule):
            yield Fault("no_rate", "give flatRate, or bands and a schedule", pointer)
        bands = {band.id for band in rates.bands or ()}
        for index, interval in enumerate(rates.schedule or ()):
            if not interval.days:
                yield Fault(
                    "no_days",
                    "the interval must be on some day",
                    f"{pointer}/schedule/{index}/days",
                )
            if interval.band not in bands:
                message = f"there is no band {interval.band!r}"
                yield Fault("unknown_period", message, f"{pointer}/schedule/{index}/band")
        for index, band in enumerate(rates.bands or ()):
            for season in band.seasonRates or ():
                if season not in seasons:
                    message = f"there is no season {season!r}"
                    yield Fault("unknown_season", message, f"{pointer}/bands/{index}/seasonRates")


def _warnings(entry: Entry, options: ImportOptions) -> Iterator[ImportWarning]:
    for name in entry.meta:
        if name not in (*_OF_META, "unit"):
            message = f"{name} describes the plan; it does not change what is charged"
            yield ImportWarning(f"/meta/{name}", "informational", message)
    stated = entry.meta.get("timezone")
    if stated not in (None, options.timezone):
        message = f"the entry is in {stated}; {options.timezone} is taken, as asked"
        yield ImportWarning("/meta/timezone", "other_timezone", message)
    yield from _taken(entry.tariff, options)
    if entry.tariff.controlledLoad:
        message = "circuits with a meter of their own are tariffs of their own: they are left out"
        yield ImportWarning("/tariff/controlledLoad", "not_imported", message)
    if entry.tariff.export and options.exports == "leave_out":
        message = (
            "what exports earn is left out, as a site has readings of export only where it "
            "generates: for such a site import with exports=include"
        )
        yield ImportWarning("/tariff/export", "exports_left_out", message)
    elif entry.tariff.export:
        message = "pricing needs readings of export, as asked; exports=leave_out does without"
        yield ImportWarning("/tariff/export", "needs_export", message)
    for name, rates in (("import", entry.tariff.import_), ("export", entry.tariff.export)):
        if rates and rates.bands and any(band.tiers for band in rates.bands) and name == "export":
            message = "tiers of what exports earn are left out: the rate of the band is taken"
            yield ImportWarning("/tariff/export/bands", "not_imported", message)


def _taken(plan: Plan, options: ImportOptions) -> Iterator[ImportWarning]:
    """Yield what the source leaves open, what is taken, and what else may be."""
    if plan.validFrom is None:
        message = f"the plan does not say when it begins: it is in force from {_EVER} on"
        yield ImportWarning("/tariff/validFrom", "no_start", message)
    if any(band.tiers for band in plan.import_.bands or ()) and options.tier_scope is None:
        message = (
            f"the source does not tell whose energy tiers count together: {_SCOPE} is taken; "
            "tier_scope chooses another"
        )
        yield ImportWarning("/tariff/import/bands", "tier_scope", message)
    for index, interval in enumerate(plan.import_.schedule or ()):
        if interval.days == "weekend":
            message = (
                "the source does not tell whether holidays are weekends: they are, where the "
                "tariff lists some; it lists none"
            )
            pointer = f"/tariff/import/schedule/{index}/days"
            yield ImportWarning(pointer, "holidays_as_weekends", message)


def charges(plan: Plan, options: ImportOptions, *, exports: bool) -> Iterator[dict[str, Any]]:
    """Yield what is charged, and what is paid for exports if *exports*."""
    seasons = plan.seasons or []
    yield from _energy(plan.import_, seasons, options)
    if plan.supply and plan.supply.daily:
        amount = format(plan.supply.daily, "f")
        yield {"kind": "fixed", "code": "supply", "amount": amount, "per": "day"}
    if exports and plan.export:
        yield {"kind": "export", "code": "export", "scheme": "net_billing"} | _sold(
            plan.export, seasons
        )


def _energy(
    rates: Rates, seasons: Sequence[Season], options: ImportOptions
) -> Iterator[dict[str, Any]]:
    if not rates.bands or not rates.schedule:
        yield {
            "kind": "energy.flat",
            "code": "energy",
            "rate": format(rates.flatRate or Decimal(0), "f"),
        }
        return
    schedule, prices = _timed(rates.bands, rates.schedule, seasons)
    tiers = {_id(band.id): _tiers(band) for band in rates.bands if band.tiers}
    if not tiers:
        kind = {"kind": "energy.time_of_use", "code": "energy"}
        yield kind | {"schedule": schedule, "rates": _texts(prices)}
        return
    stepped = {name: tiers.get(name, [{"rate": text}]) for name, text in _texts(prices).items()}
    scope = options.tier_scope or _SCOPE
    kind = {"kind": "energy.tiered", "code": "energy", "scope": scope}
    yield kind | {"schedule": schedule, "rates": stepped}


def _timed(
    bands: Sequence[Band], schedule: Sequence[Interval], seasons: Sequence[Season]
) -> tuple[dict[str, Any], dict[str, Decimal]]:
    """Return the schedule and the rates of its periods: bands, or bands in a season.

    Intervals are painted one after the other, so the last one comes first in the rules.
    """
    of_id = {band.id: band for band in bands}
    months = {season.id: season for season in seasons}
    rules, prices = list[dict[str, Any]](), dict[str, Decimal]()
    for interval in reversed(schedule):
        band = of_id[interval.band]
        for season, rate in (band.seasonRates or {}).items():
            name = _id(f"{band.id}_{season}")
            rules.append(_rule(interval, name) | {"season": _season(months[season])})
            prices[name] = rate
        rules.append(_rule(interval, _id(band.id)))
        prices[_id(band.id)] = band.rate
    return {"rules": rules}, prices


def _id(text: str) -> str:
    return _OTHER.sub("_", text)[:64] or "band"


def _rule(interval: Interval, period: str) -> dict[str, Any]:
    days: list[str] = list(interval.days) if isinstance(interval.days, list) else [interval.days]
    if days == ["weekend"]:
        days = ["weekend", "holiday"]
    return {"period": period, "days": days, "from": interval.from_, "to": interval.to}


def _season(season: Season) -> dict[str, str]:
    end = monthrange(2000, season.to + 1)[1]  # a leap year: February ends on its 29th
    return {"from": f"{season.from_ + 1:02}-01", "to": f"{season.to + 1:02}-{end:02}"}


def _tiers(band: Band) -> list[dict[str, str]]:
    return [
        ({} if tier.upTo is None else {"up_to": format(tier.upTo, "f")})
        | {"rate": format(tier.rate, "f")}
        for tier in band.tiers or ()
    ]


def _texts(prices: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: format(rate, "f") for name, rate in prices.items()}


def _sold(rates: Rates, seasons: Sequence[Season]) -> dict[str, Any]:
    if not rates.bands or not rates.schedule:
        return {"rate": format(rates.flatRate or Decimal(0), "f")}
    schedule, prices = _timed(rates.bands, rates.schedule, seasons)
    return {"schedule": schedule, "rates": _texts(prices)}


def _name(meta: Mapping[str, Any]) -> str:
    parts = [str(meta[name]) for name in ("provider", "plan") if meta.get(name)]
    return (": ".join(parts) or "Imported plan")[:_NAME]


@hookimpl
def register_tariff_importers() -> list[TariffImporter]:
    """Offer the importer."""
    return [OpenEnergyImporter()]
