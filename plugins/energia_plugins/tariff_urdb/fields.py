"""The names of the fields of a rate, in the spellings of the interface and of the bulk files."""

from collections.abc import Mapping
from typing import Any, Final

from energia_plugins.tariff_urdb.notes import Notes, Record

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


def canonical(key: str) -> str:
    """Return the name that the interface's version 8 has for *key*."""
    lower = key.lower()
    return _BULK.get(lower, lower)


def record(data: Mapping[str, Any], at: str, notes: Notes) -> Record:
    """Return a rate whose fields are found by the names of version 8; the first spelling wins."""
    names: dict[str, str] = {}
    for key in data:
        name = canonical(key)
        if key == name or name not in names:
            names[name] = key
    return Record(data, at, notes, names)


def plain(data: Mapping[str, Any], at: str, notes: Notes) -> Record:
    """Return a part of a rate, such as a tier, by its own names."""
    return Record(data, at, notes, {key: key for key in data})


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
        elif name.startswith("pdp_"):
            message = f"{key} is about critical peaks, an option that is not imported; see `event`"
            rate.notes.warn(pointer, "not_imported", message)
        else:
            rate.notes.warn(pointer, "unknown_field", f"{key} is not known and not imported")
