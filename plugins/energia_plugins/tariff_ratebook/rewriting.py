"""A ratebook tariff as a rate of the US rate database, and the way back of its pointers."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from energia import Fault, ImportWarning, Invalid
from energia_plugins.tariff_urdb.amounts import fixed
from energia_plugins.tariff_urdb.fields import record
from energia_plugins.tariff_urdb.notes import Notes

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


@attrs.frozen
class Rewritten:
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
                found = place.sub(source, pointer or "", count=1)
                return _UNIT.sub("/max_unit", found) if "/tiers/" in found else found
        return pointer or ""


def rewritten(document: object) -> Rewritten:
    """Return *document* as a rate; raises `Invalid` if it is no ratebook tariff."""
    source = _checked(document)
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
    return Rewritten(rate, _of(source, "schedule"), charges, tuple(faults), warnings)


def _checked(document: object) -> Mapping[str, Any]:
    if not isinstance(document, dict) or "energy" not in document:
        message = "a ratebook tariff is an object with schema_version 0, energy and schedule"
        raise Invalid(message, [Fault("wrong_type", message, "")])
    if document.get("schema_version") not in (0, "0"):
        message = f"only schema_version 0 is known, not {document.get('schema_version')!r}"
        raise Invalid(message, [Fault("unknown_version", message, "/schema_version")])
    for name in ("identity", "effective_range", "energy", "schedule", "min_charge"):
        if not isinstance(document.get(name), dict | None):
            message = f"{name} is an object"
            raise Invalid(message, [Fault("wrong_type", message, f"/{name}")])
    return document


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


def _unsupported(source: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what the data set itself says is missing from the tariff, and an unknown metering."""
    listed = source.get("unsupported") or []
    for at, one in enumerate(listed if isinstance(listed, list) else [listed]):
        detail = ": ".join(map(str, one.values())) if isinstance(one, dict) else str(one)
        message = f"the tariff has a part that the data set does not describe: {detail[:200]}"
        yield Fault("unsupported", message, f"/unsupported/{at}")
    metering = source.get("metering")
    if metering is not None and str(metering) not in _METERING:
        message = f"{metering!r} is no metering; known are {', '.join(_METERING)}"
        yield Fault("unknown_rule", message, "/metering")


def _fixed(source: Mapping[str, Any], notes: Notes) -> Iterator[dict[str, Any]]:
    """Yield a charge for each fixed charge of the list."""
    listed = source.get("fixed_charges") or []
    if not isinstance(listed, list):
        notes.refuse("/fixed_charges", "wrong_type", "fixed_charges is a list")
        return
    for at, one in enumerate(listed):
        pointer = f"/fixed_charges/{at}"
        if not isinstance(one, dict):
            notes.refuse(pointer, "wrong_type", 'a fixed charge is {"amount", "unit"}')
            continue
        own = Notes()
        given = {"fixedchargefirstmeter": one.get("amount"), "fixedchargeunits": one.get("unit")}
        for charge in fixed(record(given, "", own)):
            yield charge | ({"code": f"fixed_{at}"} if len(listed) > 1 else {})
        for fault in own.faults:
            part = "unit" if "units" in str(fault.pointer) else "amount"
            notes.refuse(f"{pointer}/{part}", fault.code, fault.message)
        for warning in own.warnings:
            notes.warn(f"{pointer}/amount", warning.code, warning.message)


def _unread(source: Mapping[str, Any]) -> Iterator[ImportWarning]:
    for name, value in source.items():
        if name in _INFORMATIONAL and value:
            message = f"{name} describes the tariff; it does not change what is charged"
            yield ImportWarning(f"/{name}", "informational", message)
        elif name not in _READ and name not in _INFORMATIONAL:
            yield ImportWarning(f"/{name}", "unknown_field", f"{name} is not known")
    superseded = _of(source, "effective_range").get("scheduled_end")
    if superseded:
        message = f"a change is scheduled for {superseded}: the tariff is taken to go on"
        yield ImportWarning("/effective_range/scheduled_end", "scheduled_end", message)
