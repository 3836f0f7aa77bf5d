"""Importers of tariffs: what a plugin offers to read the documents of others.

An importer is pure: it takes the parsed JSON of a document and returns a tariff document, or
refuses with pointers into the source. It prices nothing and stores nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Protocol

import attrs
from msgspec import Meta

from energia.codes import Currency, ZoneOrOffset
from energia.convert import Converter
from energia.errors import Fault, Invalid
from energia.pricing.tariffs import Tariff

#: Whose energy is counted together in tiers; as in `energy.tiered`.
TierScope = Annotated[
    Literal["pooled_prorated", "per_period", "pooled_chronological", "whole_band"],
    Meta(description="Whose energy tiers count together, where the source does not tell."),
]
DemandInterval = Annotated[
    timedelta,
    Meta(description="Over what demand is averaged; without, what the source says, or PT15M."),
]
Exports = Annotated[
    Literal["include", "leave_out"],
    Meta(description="`include` for sites that export: pricing then needs readings of `export`."),
]


@attrs.frozen(kw_only=True)
class ImportOptions:
    """What a source may not say.

    Attributes:
        timezone: The zone of its dates and hours.
        currency: ISO 4217; None takes that of the source, or USD.
        tier_scope: Whose energy tiers count together; None takes what the source's own engine does.
        demand_interval: Over what demand is averaged; None takes what the source says, or PT15M
            and whatever longer readings there are.
        exports: Whether the tariff pays for exported energy where the source does. Most sites
            export nothing, and have no readings of it.

    """

    timezone: ZoneOrOffset
    currency: Currency | None = None
    tier_scope: TierScope | None = None
    demand_interval: timedelta | None = None
    exports: Exports = "leave_out"


@attrs.frozen
class ImportWarning:
    """Something that was left out, or taken for granted.

    Attributes:
        pointer: Where in the source.
        code: What it is, in snake_case; `informational` does not change what is charged.
        message: For a person.

    """

    pointer: str
    code: str
    message: str


@attrs.frozen
class Imported:
    """What an importer made.

    Attributes:
        tariff: A tariff document, as `PUT /v1/tariffs/{tariff}` takes it.
        warnings: All that was left out, in the order of the source.

    """

    tariff: Mapping[str, Any]
    warnings: tuple[ImportWarning, ...] = ()


class TariffImporter(Protocol):
    """Reads tariffs of one format."""

    @property
    def format(self) -> str:
        """Its name in requests."""
        ...

    @property
    def description(self) -> str:
        """What it reads, for a person."""
        ...

    def read(self, document: object, options: ImportOptions) -> Imported:
        """Return the tariff of *document*, parsed JSON with decimals as Decimal.

        It leaves *document* as it is.

        Raises:
            Invalid: It cannot be priced; all faults, with pointers into *document*.

        """
        ...


@attrs.frozen
class ImportedTariff:
    """A tariff that was read, checked and not stored.

    Attributes:
        tariff: As `PUT /v1/tariffs/{tariff}` takes it.
        warnings: What of the source was left out, or taken for granted.

    """

    tariff: Tariff
    warnings: tuple[ImportWarning, ...]


def imported(
    importer: TariffImporter, document: object, options: ImportOptions, converter: Converter
) -> ImportedTariff:
    """Read *document* and check what comes of it.

    Raises:
        Invalid: It cannot be priced. Faults that only the tariff shows, such as a charge of which
            the plugin is not loaded, point to the whole document.

    """
    try:
        result = importer.read(document, options)
    except Invalid as error:
        raise Invalid(_detail(error), error.faults, error.counts) from None
    try:
        tariff = converter.structure(result.tariff, Tariff)
    except Invalid as error:
        faults = [_of_tariff(fault) for fault in error.faults]
        raise Invalid(error.detail, faults, error.counts) from None
    return ImportedTariff(tariff, result.warnings)


def _detail(error: Invalid) -> str:
    """Return what is wrong, and where if it is one thing."""
    if len(error.faults) != 1:
        return error.detail
    (fault,) = error.faults
    return f"{fault.pointer}: {fault.message}" if fault.pointer else fault.message


def _of_tariff(fault: Fault) -> Fault:
    message = f"the tariff that it makes does not fit: {fault.message} (at {fault.pointer})"
    return Fault(fault.code, message, "")
