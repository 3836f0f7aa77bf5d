"""The record of a rate while it is read: the spellings of its fields, faults and warnings."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, Final

import attrs

from energia import Fault, ImportOptions, ImportWarning, Unfit
from energia.convert.scalars import decimal
from energia.time import duration_text

#: Numbers of this size stand for infinity: SAM writes 1e38.
_ENDLESS: Final = 14


@attrs.define
class Notes:
    """Faults and warnings, in the order in which they were found."""

    faults: list[Fault] = attrs.Factory(list)
    warnings: list[ImportWarning] = attrs.Factory(list)

    def refuse(self, pointer: str, code: str, message: str) -> None:
        """Note what makes it impossible to price the rate."""
        self.faults.append(Fault(code, message, pointer))

    def warn(self, pointer: str, code: str, message: str) -> None:
        """Note what is left out or taken for granted."""
        self.warnings.append(ImportWarning(pointer, code, message))

    def number(self, value: object, pointer: str) -> Decimal | None:
        """Return an exact number; None where there is none, or none that can be read."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, float):
            value = Decimal(repr(value)) if isfinite(value) else "nan"
        try:
            return decimal(value.strip() if isinstance(value, str) else value)
        except Unfit as error:
            self.refuse(pointer, error.code, f"{_short(value)}: {error.message}")
            return None

    def bound(self, value: object, pointer: str) -> Decimal | None:
        """Return the upper bound of a tier; None where it has none, or a sign of infinity."""
        if isinstance(value, float) and isfinite(value):
            value = Decimal(repr(value))
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            exact = Decimal(value)
            if exact.is_finite() and exact > 0 and exact.adjusted() >= _ENDLESS:
                return None
        return self.number(value, pointer)

    def whole(self, value: object, pointer: str) -> int | None:
        """Return a whole number, also one that is written 1.0."""
        number = self.number(value, pointer)
        if number is None:
            return None
        if number != number.to_integral_value():
            self.refuse(pointer, "wrong_type", f"{number} is not a whole number")
            return None
        return int(number)


@attrs.define
class Record:
    """A JSON object of which the fields are looked at by name, whatever their spelling.

    Attributes:
        data: The object.
        at: Where it is.
        notes: What is found.
        names: The keys of the object, by the names of the interface's version 8.
        used: The keys that were looked at.

    """

    data: Mapping[str, Any]
    at: str
    notes: Notes
    names: Mapping[str, str]
    used: set[str] = attrs.Factory(set)

    def get(self, name: str) -> Any:
        """Return a field; None where it is missing."""
        key = self.names.get(name)
        if key is None:
            return None
        self.used.add(key)
        return self.data[key]

    def pointer(self, name: str) -> str:
        """Return where a field is, or would be."""
        return f"{self.at}/{_escaped(self.names.get(name, name))}"

    def number(self, name: str) -> Decimal | None:
        """Return a field that is a number."""
        return self.notes.number(self.get(name), self.pointer(name))

    def text(self, name: str) -> str | None:
        """Return a field that is text, without what surrounds it; None where it is not."""
        value = self.get(name)
        return " ".join(value.split()) or None if isinstance(value, str) else None

    def unused(self) -> Iterator[str]:
        """Yield the keys that nobody looked at and that say something."""
        for key, value in self.data.items():
            if key not in self.used and value not in (None, "", [], {}):
                yield key


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


# The names of the fields of a rate, in the spellings of the interface and of the bulk files.

#: The bulk file (usurdb.json) has names of its own; here by their lower case.
_BULK: Final = {
    "utilityname": "utility",
    "ratename": "name",
    "effectivedate": "startdate",
    "energyratestrux": "energyratestructure",
    "energyweekdaysched": "energyweekdayschedule",
    "energyweekendsched": "energyweekendschedule",
    "energykeyvals": "energyattrs",
    "demandratestrux": "demandratestructure",
    "demandweekdaysched": "demandweekdayschedule",
    "demandweekendsched": "demandweekendschedule",
    "demandrateunits": "demandrateunit",
    "demandkeyvals": "demandattrs",
    "demandlabels": "demandtoulabels",
    "demandratchetpct": "demandratchetpercentage",
    "demandreactpwrcharge": "demandreactivepowercharge",
    "demandreactivepowerchg": "demandreactivepowercharge",
    "flatdemandstrux": "flatdemandstructure",
    "flatdemandunits": "flatdemandunit",
    "coincidentratestrux": "coincidentratestructure",
    "coincidentsched": "coincidentrateschedule",
    "coincidentschedule": "coincidentrateschedule",
    "coincidentrateunits": "coincidentrateunit",
    "fixedkeyvals": "fixedattrs",
    "fueladjmonthly": "fueladjustmentsmonthly",
}
#: What describes a rate, or who may have it, and changes nothing of what is charged.
# fmt: off
INFORMATIONAL: Final = frozenset(
    {
        "_comment", "_id", "_version", "approved", "basicinformationcomments", "country",
        "demandattrs", "demandcomments", "demandmax", "demandmin", "description", "eiaid",
        "eiautilityid", "energyattrs", "energycomments", "energymax", "energymin", "fixedattrs",
        "is_default", "isdefault", "label", "lastmodified", "latest_update", "latestupdate",
        "maxdemand", "maxenergy", "mindemand", "minenergy", "peakkwcapacityhistory",
        "peakkwcapacitymax", "peakkwcapacitymin", "peakkwhusagehistory", "peakkwhusagemax",
        "peakkwhusagemin", "phasewiring", "rateno", "revisions", "sector", "servicetype",
        "source", "sourceparent", "sourcereference", "supercedes", "supersedes", "uri",
        "utility", "version", "voltagecategory", "voltagemaximum", "voltageminimum",
    }
)
# fmt: on


#: What says how something is charged, and nothing where the rate has no such charge.
# fmt: off
OF_CHARGES: Final = frozenset(
    {
        "coincidentrateschedule", "coincidentrateunit", "demandrateunit",
        "demandtoulabels", "demandunits", "demandweekdayschedule", "demandweekendschedule",
        "demandwindow", "energytoulabels", "energyweekdayschedule", "energyweekendschedule",
        "fixedchargeunits", "flatdemandmonths", "flatdemandunit", "lookbackmonths", "lookbackrange",
        "minchargeunits",
    }
)
# fmt: on


def canonical(key: str) -> str:
    """Return the name that the interface's version 8 has for *key*."""
    lower = key.lower()
    return _BULK.get(lower, lower)


def record(data: Mapping[str, Any], pointer: str, notes: Notes) -> Record:
    """Return a rate whose fields are found by the names of version 8; the first spelling wins."""
    names: dict[str, str] = {}
    for key in data:
        name = canonical(key)
        if key == name or name not in names:
            names[name] = key
    return Record(data, pointer, notes, names)


def plain(data: Mapping[str, Any], pointer: str, notes: Notes) -> Record:
    """Return a part of a rate, such as a tier, by its own names."""
    return Record(data, pointer, notes, {key: key for key in data})


def tell_unused(rate: Record) -> None:
    """Warn of every field that was not looked at."""
    for key in rate.unused():
        pointer = f"{rate.at}/{key.replace('~', '~0').replace('/', '~1')}"
        name = canonical(key)
        if name in INFORMATIONAL:
            message = f"{key} describes the rate; it does not change what is charged"
            rate.notes.warn(pointer, "informational", message)
        elif name in rate.names and rate.names[name] != key:
            message = f"{key} is another spelling of {rate.names[name]}, which is read"
            rate.notes.warn(pointer, "spelled_twice", message)
        elif name in OF_CHARGES:
            message = f"{key} is about a charge that the rate does not have: it changes nothing"
            rate.notes.warn(pointer, "unused_field", message)
        elif name.startswith("pdp_"):
            message = f"{key} is about critical peaks, an option that is not imported; see `event`"
            rate.notes.warn(pointer, "not_imported", message)
        else:
            rate.notes.warn(pointer, "unknown_field", f"{key} is not known and not imported")


# What the readers of a rate's parts share.

_DEFAULT: Final = timedelta(minutes=15)


@attrs.define
class Context:
    """The options of an import, and what was reported once already.

    Attributes:
        options: What the source may not say.

    """

    options: ImportOptions
    _told: bool = False

    def interval(self, rate: Record) -> dict[str, str]:
        """Return over what demand is averaged: as asked, as the source says, or a quarter hour.

        What nobody says may be an hour too: then readings by the hour are accepted.
        """
        stated = self._stated(rate)
        option = self.options.demand_interval
        if option and stated and option != stated and not self._told:
            message = f"demand is averaged over {duration_text(option)}, as asked, not as stated"
            rate.notes.warn(rate.pointer("demandwindow"), "interval_asked", message)
        elif not option and not stated and not self._told:
            message = (
                "the source does not tell over what demand is averaged: PT15M is taken, or "
                "the length of the readings, if they are longer"
            )
            rate.notes.warn(rate.pointer("demandwindow"), "interval_assumed", message)
        self._told = True
        length = {"interval": duration_text(option or stated or _DEFAULT)}
        return length if option or stated else {**length, "coarse": "accept"}

    def _stated(self, rate: Record) -> timedelta | None:
        minutes, pointer = rate.number("demandwindow"), rate.pointer("demandwindow")
        if not minutes:
            return None
        if minutes <= 0 or minutes > 60 or 60 % minutes or minutes != minutes.to_integral_value():
            message = (
                f"demand is averaged over {minutes} minutes, of which an hour has no whole number"
            )
            if not self._told and not self.options.demand_interval:
                rate.notes.refuse(pointer, "wrong_window", f"{message}: state demand_interval")
            return None
        return timedelta(minutes=int(minutes))


def unit_fields(unit: str) -> dict[str, str]:
    """Return the fields of a demand in *unit*; kVA are those of apparent energy."""
    if unit == "kVA":
        return {"unit": "kVA", "channel": "apparent_energy.import"}
    return {} if unit == "kW" else {"unit": unit}


def _escaped(name: object) -> str:
    """Return a name as a step of a JSON pointer has it (RFC 6901, section 3)."""
    return str(name).replace("~", "~0").replace("/", "~1")
