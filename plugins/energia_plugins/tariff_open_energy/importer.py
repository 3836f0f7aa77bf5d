"""The importer of entries of the open-energy-tariffs collection."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

import attrs

from energia import Fault, Imported, ImportOptions, ImportWarning, Invalid
from energia.convert import structure
from energia.currencies import CODES
from energia_plugins.tariff_open_energy.charges import charges
from energia_plugins.tariff_open_energy.model import Entry

_NAME: Final = 500
_EVER: Final = "1900-01-01"
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
            raise Invalid(faults[0].message, faults)
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


def _entry(document: object) -> Entry:
    if isinstance(document, dict) and "tariff" not in document:
        for key, message in _OTHERS.items():
            if key in document:
                raise Invalid(message, [Fault("other_format", message, "")])
    return structure(document, Entry)


def _faults(entry: Entry) -> Iterator[Fault]:
    """Yield what the types of the entry do not tell."""
    plan = entry.tariff
    currency = entry.meta.get("currency", "USD")
    if not isinstance(currency, str) or currency not in CODES:
        yield Fault("unknown_currency", f"there is no currency {currency!r}", "/meta/currency")
    unit = entry.meta.get("unit", "kWh")
    if unit != "kWh":
        yield Fault("unknown_unit", f"rates are for a kWh, not for {unit!r}", "/meta/unit")
    if plan.demand:
        message = "the schema reserves demand and does not say what it means: it is not priced"
        yield Fault("not_supported", message, "/tariff/demand")
    seasons = {season.id for season in plan.seasons or ()}
    for name, rates in (("import", plan.import_), ("export", plan.export)):
        at = f"/tariff/{name}"
        if rates is None:
            continue
        if rates.flatRate is None and not (rates.bands and rates.schedule):
            yield Fault("no_rate", "give flatRate, or bands and a schedule", at)
        bands = {band.id for band in rates.bands or ()}
        for index, one in enumerate(rates.schedule or ()):
            if not one.days:
                yield Fault("no_days", "the interval is on no day", f"{at}/schedule/{index}/days")
            if one.band not in bands:
                message = f"there is no band {one.band!r}"
                yield Fault("unknown_period", message, f"{at}/schedule/{index}/band")
        for index, band in enumerate(rates.bands or ()):
            for season in band.seasonRates or ():
                if season not in seasons:
                    message = f"there is no season {season!r}"
                    yield Fault("unknown_season", message, f"{at}/bands/{index}/seasonRates")


def _warnings(entry: Entry, options: ImportOptions) -> Iterator[ImportWarning]:
    for name in entry.meta:
        if name not in (*_OF_META, "unit"):
            message = f"{name} describes the plan; it does not change what is charged"
            yield ImportWarning(f"/meta/{name}", "informational", message)
    stated = entry.meta.get("timezone")
    if stated not in (None, options.timezone):
        message = f"the entry is in {stated}; {options.timezone} is taken, as asked"
        yield ImportWarning("/meta/timezone", "other_timezone", message)
    if entry.tariff.controlledLoad:
        message = "circuits with a meter of their own are tariffs of their own: they are left out"
        yield ImportWarning("/tariff/controlledLoad", "not_imported", message)
    if entry.tariff.export and options.exports == "leave_out":
        message = "what exports earn is left out, as asked"
        yield ImportWarning("/tariff/export", "exports_left_out", message)
    elif entry.tariff.export:
        message = "pricing needs readings of export; exports=leave_out does without"
        yield ImportWarning("/tariff/export", "needs_export", message)
    for name, rates in (("import", entry.tariff.import_), ("export", entry.tariff.export)):
        if rates and rates.bands and any(band.tiers for band in rates.bands) and name == "export":
            message = "tiers of what exports earn are left out: the rate of the band is taken"
            yield ImportWarning("/tariff/export/bands", "not_imported", message)


def _name(meta: Mapping[str, Any]) -> str:
    parts = [str(meta[name]) for name in ("provider", "plan") if meta.get(name)]
    return (": ".join(parts) or "Imported plan")[:_NAME]
