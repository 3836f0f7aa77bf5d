"""Tokens in the database, and who is recognised by them."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from energia.access import tokens
from energia.access.authentication import Authentication
from energia.access.callers import Caller
from energia.access.tokens import NewToken, Secret
from energia.core import Core
from energia.db.connection import Result
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import DatabaseAway, Invalid, NotFound, Unauthenticated
from energia.settings import Auth, Settings
from tests.serving import make_core

NOW = datetime(2026, 3, 1, tzinfo=UTC)
READER = NewToken("reader", ("readings:read",))


@pytest.fixture(name="core")
def _core(pool: Pool) -> Core:
    """Give a service that remembers tokens for a moment only."""
    return make_core(pool=pool, settings=Settings(auth=Auth(cache=0.2, away=60)))


@pytest.fixture(name="statements")
def _statements(pool: Pool) -> list[str]:
    """Give the messages that are sent to the database."""
    sent: list[str] = []

    async def note(message: str, answer: Awaitable[Result]) -> Result:
        sent.append(message)
        return await answer

    pool.stats.statement_timers.append(note)
    return sent


async def test_a_token_says_who_it_is_for(tenant: Tenant, core: Core) -> None:
    """Its caller has the name, the scopes and the limits that it was made with."""
    secret = await tokens.create(tenant, attrs.evolve(READER, expires=None), NOW)

    caller = await Authentication(core).caller(secret.text)

    assert caller == Caller(
        f"token:{secret.prefix}", "reader", 1, frozenset({"readings:read"}), None, None
    )


async def test_only_a_hash_is_stored(tenant: Tenant) -> None:
    """No column of the table has the secret."""
    secret = await tokens.create(tenant, READER, NOW)

    rows = await tenant.fetch(str, "select t::text from access_token t")

    assert len(rows) == 1
    assert secret.prefix in rows[0]
    assert secret.text.rpartition("_")[2] not in rows[0]
    assert "SECRET" not in repr(attrs.evolve(secret, text="SECRET"))


@pytest.mark.parametrize(
    "bearer",
    [
        "nonsense",
        "energia_1x0123456789_" + "0" * 64,
        "energia_99999999999x0123456789_" + "0" * 64,
        "energia_٣x0123456789_" + "0" * 64,
        "\udcff" * 10,
        "x" * 100_000,
    ],
    ids=["nonsense", "unknown", "organization", "digits", "bytes", "long"],
)
async def test_nonsense_is_nobody(core: Core, bearer: str) -> None:
    """What is no token of ours is refused, whatever it is made of."""
    with pytest.raises(Unauthenticated):
        await Authentication(core).caller(bearer)


async def test_the_secret_counts(tenant: Tenant, core: Core) -> None:
    """A known prefix with another secret is as unknown as any other."""
    secret = await tokens.create(tenant, READER, NOW)
    forged = secret.text[:-1] + ("0" if secret.text[-1] != "0" else "1")

    with pytest.raises(Unauthenticated, match="not known"):
        await Authentication(core).caller(forged)


async def test_an_expired_token(tenant: Tenant, core: Core) -> None:
    """A token ends at its expiry, remembered or not; one that has ended is not made."""
    soon = core.clock.now() + timedelta(seconds=1.5)
    secret = await tokens.create(tenant, attrs.evolve(READER, expires=soon), NOW)
    remembers = Authentication(attrs.evolve(core, settings=Settings()))
    await remembers.caller(secret.text)
    while core.clock.now() <= soon:
        await asyncio.sleep(0.05)

    for authentication in (remembers, Authentication(core)):
        with pytest.raises(Unauthenticated, match="expired"):
            await authentication.caller(secret.text)
    with pytest.raises(Invalid):
        await tokens.create(tenant, attrs.evolve(READER, expires=NOW), NOW)


async def test_a_revocation_is_seen(tenant: Tenant, core: Core) -> None:
    """A revoked token is refused once what is remembered of it is old, by every replica."""
    secret = await tokens.create(tenant, READER, NOW)
    replicas = [Authentication(core), Authentication(core)]
    for replica in replicas:
        await replica.caller(secret.text)
    await tokens.revoke(tenant, secret.prefix)
    await asyncio.sleep(0.25)

    for replica in replicas:
        with pytest.raises(Unauthenticated, match="revoked"):
            await replica.caller(secret.text)
    with pytest.raises(NotFound):
        await tokens.rotate(tenant, secret.prefix, timedelta(0))


async def test_rotation(tenant: Tenant, core: Core) -> None:
    """The new secret works at once; the old one for the grace that is given, if any."""
    first = await tokens.create(tenant, READER, NOW)
    second = await tokens.rotate(tenant, first.prefix, timedelta(seconds=60))
    with_grace = [await Authentication(core).caller(each.text) for each in (first, second)]
    third = await tokens.rotate(tenant, first.prefix, timedelta(0))

    assert {caller.id for caller in with_grace} == {f"token:{first.prefix}"}
    assert (await Authentication(core).caller(third.text)).name == "reader"
    for former in (first, second):
        with pytest.raises(Unauthenticated):
            await Authentication(core).caller(former.text)


async def test_it_is_remembered(tenant: Tenant, core: Core, statements: list[str]) -> None:
    """Many requests at once cost one statement, and the next ones none."""
    secret = await tokens.create(tenant, READER, NOW)
    authentication = Authentication(core)
    statements.clear()

    await asyncio.gather(*(authentication.caller(secret.text) for _ in range(50)))
    await authentication.caller(secret.text)

    assert len(statements) == 1


async def test_a_flood_of_nonsense(core: Core, statements: list[str]) -> None:
    """A thousand unknown tokens cost a few statements, and are not remembered for ever."""
    settings = attrs.evolve(core.settings, auth=Auth(cache_size=10))
    authentication = Authentication(attrs.evolve(core, settings=settings))
    flood = [Secret.new(1).text for _ in range(1000)]

    await asyncio.gather(*map(authentication.caller, flood), return_exceptions=True)

    assert len(statements) <= 3
    assert len(authentication._strangers) == 10


async def test_nonsense_of_many_organizations(
    tenant: Tenant, core: Core, statements: list[str]
) -> None:
    """Tokens that name organizations at random wait for each other, and nobody else for them."""
    secret = await tokens.create(tenant, READER, NOW)
    authentication = Authentication(core)
    flood = [Secret.new(number).text for number in range(2, 502)]
    statements.clear()
    tasks = [asyncio.create_task(authentication.caller(text)) for text in flood]
    await asyncio.sleep(0.1)

    assert (await asyncio.wait_for(authentication.caller(secret.text), 5)).name == "reader"
    assert len(statements) < 50
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_without_the_database(tenant: Tenant, core: Core) -> None:
    """Who is remembered goes on; of others it cannot be told, which is not a refusal."""
    secret = await tokens.create(tenant, READER, NOW)
    other = await tokens.create(tenant, READER, NOW)
    authentication = Authentication(core)
    await authentication.caller(secret.text)
    await core.pool.close()
    await asyncio.sleep(0.25)

    assert (await authentication.caller(secret.text)).name == "reader"
    with pytest.raises(DatabaseAway):
        await authentication.caller(other.text)


async def test_a_client_that_leaves(tenant: Tenant, core: Core) -> None:
    """One that does not wait for the answer does not take it from the others."""
    secret = await tokens.create(tenant, READER, NOW)
    authentication = Authentication(core)
    first, second = (asyncio.create_task(authentication.caller(secret.text)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert (await second).name == "reader"


async def test_last_use(tenant: Tenant, core: Core) -> None:
    """When a token was last used is written down in the end."""
    secret = await tokens.create(tenant, READER, NOW)
    authentication = Authentication(core)

    async with authentication.noting_use():
        await authentication.caller(secret.text)
        await authentication.caller(secret.text)

    used = (await tokens.get(tenant, secret.prefix)).used
    assert used is not None
    assert abs(core.clock.now() - used) < timedelta(seconds=30)


async def test_another_organization(pool: Pool) -> None:
    """Tokens are of one organization: another one neither lists nor revokes them."""
    await pool.everywhere().execute("insert into organization (name) values ('other')")
    secret = await tokens.create(pool.tenant(), READER, NOW)

    assert await tokens.listed(pool.tenant(2), "", 10) == []
    with pytest.raises(NotFound):
        await tokens.revoke(pool.tenant(2), secret.prefix)
