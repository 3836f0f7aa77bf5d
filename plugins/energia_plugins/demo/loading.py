"""Stores the demo's data: what is there already stays as it is."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from energia.billing.versions import put_tariff
from energia.metering import registry
from energia.metering.intake import Intake
from energia.pricing.tariffs import Tariff, tariff_converter
from energia_plugins.demo import household

if TYPE_CHECKING:
    from energia.clock import Clock
    from energia.db.tenant import Tenant
    from energia.plugins import Plugins
    from energia.settings import Settings


async def load(
    tenant: "Tenant",
    clock: "Clock",
    settings: "Settings",
    advance: Callable[[], object] = lambda: None,
) -> None:
    """Store the site, the meter and the year; *advance* is called for each reading."""
    await registry.put_site(tenant, household.SITE_ID, household.SITE)
    await registry.put_meter(tenant, household.METER_ID, household.METER, clock.now())
    intake = Intake(tenant, clock, settings.readings.live_grace, settings.limits.problems)
    await intake.file(household.chunks(), household.HouseholdFile(advance), None)


async def load_tariffs(tenant: "Tenant", plugins: "Plugins") -> list[Tariff]:
    """Store the tariffs, and return them."""
    converter = tariff_converter(plugins.charges())
    tariffs = [converter.structure(one, Tariff) for one in household.tariffs()]
    for tariff in tariffs:
        await put_tariff(tenant, converter, tariff)
    return tariffs
