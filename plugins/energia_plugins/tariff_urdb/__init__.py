"""The importer `urdb`: rates of the US utility rate database.

Every field that is not read is a warning; what cannot be priced is refused, with pointers into the
source. See docs/how-to/tariff-import.md.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, ClassVar, Final

import attrs

from energia import Fault, Imported, ImportOptions, Invalid, TariffImporter, hookimpl
from energia.time import Zone
from energia_plugins.tariff_urdb import demand, energy, record, versions
from energia_plugins.tariff_urdb.record import Context, Notes, Record
from energia_plugins.tariff_urdb.versions import Block, chain_of, in_force

__all__ = ["UrdbImporter"]

_NAME: Final = 500

#: Of lists longer than this no tariff is made.
_MOST: Final = 1000


@attrs.frozen
class UrdbImporter:
    """Reads a rate, a list of dated rates, or an answer of the database's interface."""

    format: str = "urdb"
    description: str = (
        "Rates of the US utility rate database (OpenEI URDB), as JSON of its interface or of its "
        "bulk file: one rate, a list of dated ones that follow each other, or {items: [...]}."
    )

    examples: ClassVar[tuple[Any, ...]] = (
        {
            "utility": "Acme Power",
            "name": "R-1",
            "startdate": 1767247200,
            "energyratestructure": [[{"max": 500, "rate": 0.1, "adj": 0.01}, {"rate": 0.2}]],
            "flatdemandstructure": [[{"rate": 6.5}]],
            "flatdemandmonths": [0] * 12,
            "fixedchargefirstmeter": 12.5,
            "fixedchargeunits": "$/month",
            "mincharge": 20,
        },
    )

    def read(self, document: object, options: ImportOptions) -> Imported:
        """Return the tariff of *document*; raises `Invalid` with all faults."""
        notes, context = Notes(), Context(options)
        zone = Zone.named(options.timezone)
        rates = list(in_force(notes, list(_rates(document, notes))))
        blocks = [Block(rate, *_dates(rate, zone)) for rate in rates]
        charges = [list(_charges(rate, context)) for rate in rates]
        versions = chain_of(notes, blocks, charges)
        for rate in rates:
            record.tell_unused(rate)
        if notes.faults:
            faults = list(dict.fromkeys(notes.faults))
            count = len(faults)
            detail = faults[0].message if count == 1 else f"{count} faults"
            raise Invalid(detail, faults)
        tariff = {
            "name": _name(rates[-1]),
            "currency": options.currency or "USD",
            "timezone": options.timezone,
            "versions": versions,
        }
        return Imported(tariff, tuple(dict.fromkeys(notes.warnings)))


def _rates(document: object, notes: Notes) -> Iterator[Record]:
    """Yield the rates of a document."""
    pointer, body = "", document
    if isinstance(document, dict) and isinstance(document.get("items"), list):
        pointer, body = "/items", document["items"]
    listed = body if isinstance(body, list) else [body]
    if not listed or len(listed) > _MOST:
        message = f"there is no rate in it, or more than {_MOST}"
        raise Invalid.of("no_rate_found", message, pointer)
    wrong = [
        Fault(
            "wrong_type", "a rate is an object", f"{pointer}/{index}" if listed is body else pointer
        )
        for index, item in enumerate(listed)
        if not isinstance(item, dict)
    ]
    if wrong:
        raise Invalid.of_all(wrong)
    for index, item in enumerate(listed):
        yield record.record(item, f"{pointer}/{index}" if listed is body else pointer, notes)


def _dates(rate: Record, zone: Zone) -> tuple[date | None, date | None]:
    return versions.first_day(rate, zone), versions.day_after(rate, zone)


def _charges(rate: Record, context: Context) -> Iterator[dict[str, Any]]:
    """Yield all charges of a rate, the minimum last: it looks at all of them."""
    before = len(rate.notes.faults)
    charges: list[dict[str, Any]] = [
        *energy.energy(rate, context),
        *demand.demand(rate, context),
        *energy.fixed(rate),
        *energy.export(rate, context),
        *energy.minimum(rate),
    ]
    for name in ("utility", "name"):
        rate.get(name)
    _reactive(rate)
    if not charges and len(rate.notes.faults) == before:
        message = "the rate charges nothing: it has no energy, demand or fixed charge"
        rate.notes.refuse(rate.at, "nothing_to_charge", message)
    yield from charges


def _reactive(rate: Record) -> None:
    if rate.number("demandreactivepowercharge"):
        pointer = rate.pointer("demandreactivepowercharge")
        message = "the charge for reactive power is not imported; see the charge `reactive`"
        rate.notes.warn(pointer, "not_imported", message)


def _name(rate: Record) -> str:
    """Return a name for people: that of the utility and of the rate."""
    parts: Sequence[str | None] = (rate.text("utility"), rate.text("name"))
    name = ": ".join(part for part in parts if part)
    return (name or f"URDB {rate.text('label') or 'rate'}")[:_NAME]


@hookimpl
def register_tariff_importers() -> list[TariffImporter]:
    """Offer the importer."""
    return [UrdbImporter()]
