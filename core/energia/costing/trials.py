"""Usage priced under tariffs that nobody stored, for the questions that plugins answer.

A plugin makes the documents of tariffs, as Brazil's does out of its tables, and asks what the
readings of a meter, or readings that came along, cost under each, bill by bill.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from energia.convert import Converter
from energia.convert.faults import step
from energia.core import Core
from energia.costing.groups import Group, price_groups
from energia.costing.request import Costing, costing_of
from energia.costing.subject import ChannelIds, Subject
from energia.db.tenant import Tenant
from energia.errors import AmbiguousChannel, Conflict, IncompletePrices, IncompleteUsage
from energia.metering.usage import Coverage
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.settings import Limits
from energia.time import Zone
from energia.work import off_loop

__all__ = ["ERRORS", "ChannelIds", "Group", "Subject", "Trial", "trial"]

#: What a route that asks for a trial may answer with, besides what its body implies.
ERRORS: Final = (Conflict, IncompleteUsage, IncompletePrices, AmbiguousChannel)


@attrs.frozen
class Trial:
    """What usage costs under each of some tariffs.

    Attributes:
        zone: The zone of the site, or of the usage that came along.
        groups: The bill periods under each tariff, in order, by the tariff's name.
        coverage: What the readings are.

    """

    zone: Zone
    groups: Mapping[str, tuple[Group, ...]]
    coverage: Coverage


async def trial(
    subject: Subject, documents: Mapping[str, Mapping[str, Any]], core: Core, tenant: Tenant
) -> Trial:
    """Return what *subject* costs under each of some tariffs, within the service's limits.

    Args:
        subject: The usage, its window and its bill periods (`group`).
        documents: Tariffs, as JSON has them, by names of one's own.
        core: The service.
        tenant: The database of the organization that asks.

    Raises:
        Invalid: A document, the window or the usage does not fit; or as the tariffs' charges say.
        IncompleteUsage: Readings are missing.
        TooLarge: It takes more than the limits of the service allow.

    """
    converter = tariff_converter(core.plugins.charges())
    return await trial_within(subject, documents, tenant, converter, core.settings.limits)


async def trial_within(
    subject: Subject,
    documents: Mapping[str, Mapping[str, Any]],
    tenant: Tenant | None,
    converter: Converter,
    limits: Limits,
) -> Trial:
    """Return the same; without a *tenant* nothing stored may be asked for."""
    tariffs: dict[str, str | Tariff] = {
        step(name): converter.structure(document, Tariff) for name, document in documents.items()
    }
    costing = await costing_of(subject, tariffs, tenant, converter, limits)
    groups = await off_loop(_groups, costing)
    return Trial(costing.zone, dict(zip(documents, groups, strict=True)), costing.inputs.coverage)


def _groups(costing: Costing) -> list[tuple[Group, ...]]:
    """Return the bill periods under each tariff."""
    usage, terms = costing.inputs.usage, costing.terms
    return [price_groups(tariff, usage, costing.bounds, terms) for tariff in costing.tariffs]
