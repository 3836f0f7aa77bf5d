"""The importer `ratebook`: tariffs of the ratebook data set (cbetz/ratebook), schema version 0.

Each is a rate of the US rate database with fields of its own, a list of fixed charges and rules of
holidays. It is read as such a rate; faults and warnings point into the source all the same.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar, Final

import attrs

from energia import Fault, Imported, ImportOptions, ImportWarning, Invalid, TariffImporter, hookimpl
from energia_plugins.tariff_urdb import UrdbImporter
from energia_plugins.tariff_urdb.energy import fixed
from energia_plugins.tariff_urdb.record import Notes, record

__all__ = ["RatebookImporter"]

#: Weekdays, as `date.weekday` counts them.
_MON, _THU, _SAT, _SUN = 0, 3, 5, 6

_WEEK: Final = 7

#: Where in the source the fields of the rate are.
_PLACES: Final = (
    (re.compile(r"^/energyratestructure/(\d+)/(\d+)"), r"/energy/periods/\1/tiers/\2"),
    (re.compile(r"^/energyratestructure/(\d+)"), r"/energy/periods/\1/tiers"),
    (re.compile(r"^/energyratestructure"), "/energy/periods"),
    (re.compile(r"^/energyweekdayschedule"), "/schedule/weekday"),
    (re.compile(r"^/energyweekendschedule"), "/schedule/weekend"),
    (re.compile(r"^/minchargeunits"), "/min_charge/unit"),
    (re.compile(r"^/mincharge"), "/min_charge/amount"),
    (re.compile(r"^/startdate"), "/effective_range/start"),
    (re.compile(r"^/enddate"), "/effective_range/end"),
    (re.compile(r"^/dgrules"), "/metering"),
    (re.compile(r"^/fixedcharge.*"), "/fixed_charges"),
)

_UNIT: Final = re.compile(r"/unit$")

_METERING: Final[Mapping[str, str | None]] = {
    "unknown": None,
    "none": None,
    "net_metering": "Net Metering",
    "net_billing": "Net Billing Instantaneous",
    "buy_all_sell_all": "Buy All Sell All",
}

_READ: Final = {
    "schema_version",
    *("identity", "effective_range", "energy", "schedule", "fixed_charges", "min_charge"),
    *("unsupported", "metering"),
}

_INFORMATIONAL: Final = {"source_documents", "provenance"}

#: Named holidays become dates of these years; another import makes those of other years.
_YEARS: Final = range(2015, 2041)

_POLICIES: Final = ("unknown", "as_weekday", "as_weekend", None)

_OBSERVANCES: Final = ("actual_day", "sunday_to_monday", "nearest_weekday", "federal")


@attrs.frozen
class RatebookImporter:
    """Reads one tariff of the data set."""

    format: str = "ratebook"
    description: str = (
        "Tariffs of the ratebook data set of US residential tariffs (schema version 0); tiers are "
        "counted in each period by itself, as its engine does, unless tier_scope says otherwise."
    )

    examples: ClassVar[tuple[Any, ...]] = (
        {
            "schema_version": 0,
            "identity": {"utility_id": "Acme Power", "plan_name": "R-1"},
            "energy": {"periods": [{"tiers": [{"rate": "0.10", "adj": "0.02"}]}]},
            "schedule": {"weekday": [[0] * 24] * 12, "weekend": [[0] * 24] * 12},
            "fixed_charges": [{"amount": "14", "unit": "$/month"}],
        },
    )

    def read(self, document: object, options: ImportOptions) -> Imported:
        """Return the tariff of *document*; raises `Invalid` with all faults."""
        source = urdb_form(document)
        faults = list(source.faults)
        options = attrs.evolve(options, tier_scope=options.tier_scope or "per_period")
        holidays, warnings = _holidays(source, faults)
        imported = _read(source, options, faults)
        if faults or imported is None:
            raise Invalid(
                faults[0].message if len(faults) == 1 else f"{len(faults)} faults", faults
            )
        rate_warnings = [
            attrs.evolve(warning, pointer=source.pointer(warning.pointer))
            for warning in imported.warnings
        ]
        (version,) = imported.tariff["versions"]
        version = version | ({"holidays": holidays} if holidays else {})
        charges = [*version["charges"], *source.fixed]
        version = version | {"charges": _in_order(charges)}
        return Imported(
            {**imported.tariff, "versions": [version]},
            (*rate_warnings, *source.warnings, *warnings),
        )


@attrs.frozen
class UrdbForm:
    """A tariff as a rate, and what is not part of one.

    Attributes:
        rate: The rate.
        schedule: The schedule of the source, with its holidays.
        fixed: The charges of the list of fixed charges.
        faults: What cannot be priced, with pointers into the source.
        warnings: What is left out, the same.

    """

    rate: Mapping[str, Any]
    schedule: Mapping[str, Any]
    fixed: tuple[dict[str, Any], ...]
    faults: tuple[Fault, ...]
    warnings: tuple[ImportWarning, ...]

    def pointer(self, pointer: str | None) -> str:
        """Return where in the source *pointer* of the rate is."""
        for place, source in _PLACES:
            if place.match(pointer or ""):
                path = place.sub(source, pointer or "", count=1)
                return _UNIT.sub("/max_unit", path) if "/tiers/" in path else path
        return pointer or ""


def urdb_form(document: object) -> UrdbForm:
    """Return *document* as a rate; raises `Invalid` if it is not a ratebook tariff."""
    source = _source(document)
    faults = list(_unsupported(source))
    notes = Notes()
    charges = tuple(_fixed(source, notes))
    faults += notes.faults
    rate = {
        "utility": _of(source, "identity").get("utility_id"),
        "name": _of(source, "identity").get("plan_name"),
        "startdate": _of(source, "effective_range").get("start"),
        "enddate": _of(source, "effective_range").get("end"),
        "energyratestructure": _periods(source),
        "energyweekdayschedule": _of(source, "schedule").get("weekday"),
        "energyweekendschedule": _of(source, "schedule").get("weekend"),
        "mincharge": _of(source, "min_charge").get("amount"),
        "minchargeunits": _of(source, "min_charge").get("unit"),
        "dgrules": _METERING.get(str(source.get("metering") or "unknown")),
    }
    warnings = (*notes.warnings, *_unread(source))
    return UrdbForm(rate, _of(source, "schedule"), charges, tuple(faults), warnings)


def _source(document: object) -> Mapping[str, Any]:
    if not isinstance(document, dict) or "energy" not in document:
        message = "a ratebook tariff must be an object with schema_version 0, energy and schedule"
        raise Invalid.of("wrong_type", message, "")
    if document.get("schema_version") not in (0, "0"):
        message = f"schema_version must be 0, not {document.get('schema_version')!r}"
        raise Invalid.of("unknown_version", message, "/schema_version")
    for name in ("identity", "effective_range", "energy", "schedule", "min_charge"):
        if not isinstance(document.get(name), dict | None):
            message = f"{name} must be an object"
            raise Invalid.of("wrong_type", message, f"/{name}")
    return document


def _unsupported(source: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what the data set itself says is missing from the tariff, and an unknown metering."""
    listed = source.get("unsupported") or []
    for index, item in enumerate(listed if isinstance(listed, list) else [listed]):
        detail = ": ".join(map(str, item.values())) if isinstance(item, dict) else str(item)
        message = f"the tariff has a part that the data set does not describe: {detail[:200]}"
        yield Fault("unsupported", message, f"/unsupported/{index}")
    metering = source.get("metering")
    if metering is not None and str(metering) not in _METERING:
        message = f"{metering!r} is unknown as metering; known are {', '.join(_METERING)}"
        yield Fault("unknown_rule", message, "/metering")


def _fixed(source: Mapping[str, Any], notes: Notes) -> Iterator[dict[str, Any]]:
    """Yield a charge for each fixed charge of the list."""
    listed = source.get("fixed_charges") or []
    if not isinstance(listed, list):
        notes.refuse("/fixed_charges", "wrong_type", "fixed_charges must be a list")
        return
    for index, item in enumerate(listed):
        pointer = f"/fixed_charges/{index}"
        if not isinstance(item, dict):
            notes.refuse(pointer, "wrong_type", 'a fixed charge is {"amount", "unit"}')
            continue
        own = Notes()
        given = {"fixedchargefirstmeter": item.get("amount"), "fixedchargeunits": item.get("unit")}
        for charge in fixed(record(given, "", own)):
            yield charge | ({"code": f"fixed_{index}"} if len(listed) > 1 else {})
        for fault in own.faults:
            part = "unit" if "units" in str(fault.pointer) else "amount"
            notes.refuse(f"{pointer}/{part}", fault.code, fault.message)
        for warning in own.warnings:
            notes.warn(f"{pointer}/amount", warning.code, warning.message)


def _of(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return source.get(name) or {}


def _periods(source: Mapping[str, Any]) -> Any:
    """Return the periods, each a list of tiers with the names of the rate database."""
    periods = _of(source, "energy").get("periods")
    if not isinstance(periods, list):
        return periods
    return [
        [_tier(tier) for tier in period["tiers"]]
        if isinstance(period, dict) and isinstance(period.get("tiers"), list)
        else period
        for period in periods
    ]


def _tier(tier: object) -> object:
    if not isinstance(tier, dict):
        return tier
    return {("unit" if name == "max_unit" else name): value for name, value in tier.items()}


def _unread(source: Mapping[str, Any]) -> Iterator[ImportWarning]:
    for name, value in source.items():
        if name in _INFORMATIONAL and value:
            message = f"{name} describes the tariff; it does not change what is charged"
            yield ImportWarning(f"/{name}", "informational", message)
        elif name not in _READ and name not in _INFORMATIONAL:
            yield ImportWarning(f"/{name}", "unknown_field", f"{name} is unknown")
    superseded = _of(source, "effective_range").get("scheduled_end")
    if superseded:
        message = f"a change is scheduled for {superseded}: the tariff is taken to go on"
        yield ImportWarning("/effective_range/scheduled_end", "scheduled_end", message)


def _holidays(source: UrdbForm, faults: list[Fault]) -> tuple[list[str], list[ImportWarning]]:
    """Return the dates of the holidays that are charged as weekends."""
    schedule: Mapping[str, Any] = source.schedule
    policy = schedule.get("holiday_policy")
    if policy not in _POLICIES:
        message = f"{policy!r} is unknown as a policy; known are unknown, as_weekday and as_weekend"
        faults.append(Fault("unknown_policy", message, "/schedule/holiday_policy"))
    names = schedule.get("holidays") or []
    faults += list(_unknown(names, schedule.get("holiday_observance", "actual_day")))
    if faults or policy != "as_weekend":
        return [], list(_untold(policy))
    if not names:
        message = "holidays are charged as weekends, but none is listed"
        warning = ImportWarning("/schedule/holiday_policy", "holidays_not_listed", message)
        return [], [warning]
    observance = schedule.get("holiday_observance") or "actual_day"
    days = sorted({str(day) for day in dates(names, _YEARS, observance)})
    message = f"the holidays must be dates of the years {_YEARS[0]} to {_YEARS[-1]}"
    return days, [ImportWarning("/schedule/holidays", "holidays_until", message)]


def _unknown(names: object, observance: object) -> Iterator[Fault]:
    if not isinstance(names, list):
        yield Fault("wrong_type", "holidays must be a list of names", "/schedule/holidays")
        return
    for index, name in enumerate(names):
        if not isinstance(name, str) or name not in RULES:
            message = f"the holiday {name!r} is unknown"
            yield Fault("unknown_holiday", message, f"/schedule/holidays/{index}")
    if observance not in (*_OBSERVANCES, None):
        message = f"the observance {observance!r} is unknown; known are {', '.join(_OBSERVANCES)}"
        yield Fault("unknown_observance", message, "/schedule/holiday_observance")


def _nth(month: int, weekday: int, number: int) -> Callable[[int], date]:
    def of(year: int) -> date:
        first = date(year, month, 1)
        ahead = (weekday - first.weekday()) % _WEEK
        return first + timedelta(days=ahead + _WEEK * (number - 1))

    return of


def _memorial(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def _each_year_on(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _easter(year: int) -> date:
    """Return Easter Sunday (the Gregorian computus of Meeus, Jones and Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


_THANKSGIVING: Final = _nth(11, _THU, 4)

#: The federal holidays of the US and those that utilities name beside them.
RULES: Final[Mapping[str, Callable[[int], date]]] = {
    "new_years_day": _each_year_on(1, 1),
    "mlk_day": _nth(1, _MON, 3),
    "washingtons_birthday": _nth(2, _MON, 3),
    "presidents_day": _nth(2, _MON, 3),
    "cesar_chavez_day": _each_year_on(3, 31),
    "good_friday": lambda year: _easter(year) - timedelta(days=2),
    "memorial_day": _memorial,
    "juneteenth": _each_year_on(6, 19),
    "independence_day": _each_year_on(7, 4),
    "labor_day": _nth(9, _MON, 1),
    "columbus_day": _nth(10, _MON, 2),
    "veterans_day": _each_year_on(11, 11),
    "thanksgiving": _THANKSGIVING,
    "day_after_thanksgiving": lambda year: _THANKSGIVING(year) + timedelta(days=1),
    "christmas_eve": _each_year_on(12, 24),
    "christmas": _each_year_on(12, 25),
    "christmas_day": _each_year_on(12, 25),
    "new_years_eve": _each_year_on(12, 31),
}


def _untold(policy: object) -> Iterator[ImportWarning]:
    if policy == "unknown":
        message = "the source does not know how holidays are charged: they are days as any"
        yield ImportWarning("/schedule/holiday_policy", "holidays_unknown", message)


def dates(names: Iterable[str], years: Iterable[int], observance: str) -> Iterator[date]:
    """Yield the dates of the holidays *names* in *years*.

    Observed holidays are on the Monday after a Sunday, and, with `nearest_weekday`, on the Friday
    before a Saturday.
    """
    named = list(names)
    for year in years:
        for name in named:
            yield _observance(RULES[name](year), observance)


def _observance(day: date, observance: str) -> date:
    if day.weekday() == _SUN and observance != "actual_day":
        return day + timedelta(days=1)
    if day.weekday() == _SAT and observance in ("nearest_weekday", "federal"):
        return day - timedelta(days=1)
    return day


def _read(source: UrdbForm, options: ImportOptions, faults: list[Fault]) -> Imported | None:
    """Return the tariff of the rate; None if it has *faults*, which are added."""
    try:
        return UrdbImporter().read(source.rate, options)
    except Invalid as error:
        faults += [
            attrs.evolve(fault, pointer=source.pointer(fault.pointer)) for fault in error.faults
        ]
        return None


def _in_order(charges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the charges with the minimum last: it looks at all of them."""
    return sorted(charges, key=lambda charge: charge["kind"] == "minimum")


@hookimpl
def register_tariff_importers() -> list[TariffImporter]:
    """Offer the importer."""
    return [RatebookImporter()]
