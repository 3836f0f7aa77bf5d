"""Old imports of sources go that have left nothing; all others stay."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import attrs
import pytest

from energia.core import Core
from energia.db.pool import Pool
from energia.db.tenant import Queries, Tenant
from energia.metering import retention
from energia.metering.decoders import Reading
from energia.metering.imports import Intake
from energia.metering.outcome import Outcome
from energia.settings import Readings, Settings
from energia.time import instant_of
from tests.core.billing.setting import SITE, hours, meter, success
from tests.serving import LOOPBACK, Client, Serving, make_core

OLD = "update import set recorded_at = recorded_at - interval '400 days'"


@pytest.fixture(name="core")
def _core(pool: Pool) -> Core:
    """Give a service."""
    return make_core(pool=pool, settings=Settings(outgoing=LOOPBACK))


async def nothing(_: Queries, __: Outcome) -> None:
    """Do nothing beside an import."""


@pytest.fixture(name="client")
async def _client(core: Core, serving: Serving) -> AsyncIterator[Client]:
    """Serve a home with a meter."""
    async with serving(core) as client:
        await success(client, "PUT", "/v1/sites/home", SITE)
        await meter(client)
        yield client


async def sent(core: Core, tenant: Tenant, start: datetime, value: int) -> str | None:
    """Store an hour as a source does, and return its import."""
    reading = Reading(1, Decimal(value), instant_of(start), meter="m", channel="import")
    intake = Intake.of(core.settings, core.clock, tenant)
    outcome = await intake.items([reading], "boiler", nothing)
    assert outcome.rejected == 0, outcome
    return outcome.import_


async def imports(client: Client) -> set[str]:
    """Return the imports that there are."""
    listed = (await success(client, "GET", "/v1/imports"))["items"]
    return {one["import"] for one in listed}


def midnight() -> datetime:
    """Return the beginning of the day, which is not over."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def test_what_has_left_nothing_goes(core: Core, client: Client, tenant: Tenant) -> None:
    """Of hours that fill one day the last one stands for it; sent again, an hour leaves nothing."""
    first = await sent(core, tenant, midnight(), 1)
    last = await sent(core, tenant, midnight() + timedelta(hours=1), 1)
    again = await sent(core, tenant, midnight(), 1)
    assert await imports(client) == {first, last, again}
    await tenant.execute(OLD)

    assert await retention.expire(core, tenant) == 2
    assert await imports(client) == {last}
    assert await retention.expire(core, tenant) == 0


async def test_what_history_has_stays(core: Core, client: Client, tenant: Tenant) -> None:
    """A reading that was corrected still tells where it came from."""
    day = datetime(2025, 3, 1, tzinfo=UTC)
    first = await sent(core, tenant, day, 1)
    second = await sent(core, tenant, day, 2)
    await tenant.execute(OLD)

    assert await retention.expire(core, tenant) == 0
    assert await imports(client) == {first, second}


async def test_what_is_new_or_has_a_checksum_stays(
    core: Core, client: Client, tenant: Tenant
) -> None:
    """A file that is sent again is known by the checksum of the first one."""
    await hours(client, 1, 1)
    await hours(client, 1, 1)
    before = await imports(client)
    await tenant.execute(OLD)
    new = await sent(core, tenant, midnight(), 1)
    await sent(core, tenant, midnight(), 1)

    assert await retention.expire(core, tenant) == 0
    assert len(await imports(client)) == len(before) + 2
    assert new in await imports(client)


async def test_each_organization_loses_its_own(
    core: Core, client: Client, pool: Pool, tenant: Tenant
) -> None:
    """The task goes from one to the next; the setting says what is old."""
    await sent(core, tenant, midnight(), 1)
    await sent(core, tenant, midnight(), 1)
    days = attrs.evolve(core.settings, readings=Readings(imports_retention=86_400 * 500))
    await tenant.execute(OLD)
    await retention.ImportRetention().run(attrs.evolve(core, settings=days), {})
    assert len(await imports(client)) == 2
    await retention.ImportRetention().run(core, {})

    assert len(await imports(client)) == 1
