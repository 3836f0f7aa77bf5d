"""Reads from a streaming replica: when it may answer, and that nothing just written is missing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import attrs
import pytest

from energia.db.embedded import Embedded
from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.db.replica import Replica
from energia.errors import ConfigurationError
from energia.health.probes import Observed
from energia.settings import Database, Settings
from energia.web.replica_probe import ReplicaProbe
from energia_plugins.metrics_prometheus.service import ServiceCollector
from tests.serving import LOOPBACK, Client, Serving, make_core
from tests.standbys import Standby, following

#: Says where an answer was read.
HEADER = "Energia-Read-From"
SITE = {"name": "Home", "timezone": "Europe/Berlin", "country": "DE", "currency": "EUR"}


@pytest.fixture(scope="module")
def primary(open_folder: Path) -> Iterator[Embedded]:
    """Give a server with a migrated database, which a replica follows."""
    embedded = Embedded(open_folder / "primary")
    embedded.start()
    asyncio.run(migrate(embedded.dsn(), CORE_MIGRATIONS))
    yield embedded
    embedded.stop()


@pytest.fixture(scope="module")
def standby(primary: Embedded, open_folder: Path) -> Iterator[Standby]:
    """Give its replica."""
    with following(primary, open_folder / "standby") as found:
        yield found


#: Makes a service whose answers from the replica may be so old.
Making = Callable[..., AbstractAsyncContextManager["Pair"]]


@attrs.frozen
class Pair:
    """A service with a replica."""

    client: Client
    replica: Replica

    async def read(self, **headers: str) -> tuple[list[str], str]:
        """Return the ids of the sites, and where they were read."""
        async with self.client.get("/v1/sites?limit=1000", headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            page = await answer.json()
            return [site["id"] for site in page["items"]], answer.headers[HEADER]

    async def write(self, id_: str) -> None:
        """Make a site."""
        async with self.client.put(f"/v1/sites/{id_}", json=SITE) as answer:
            assert answer.status == 201, await answer.text()
            assert HEADER not in answer.headers


@pytest.fixture
def pair(primary: Embedded, standby: Standby, serving: Serving) -> Making:
    """Give what makes a service of both servers; how old its answers may be is given."""

    @asynccontextmanager
    async def made(age: float = 0.0) -> AsyncIterator[Pair]:
        database = Database(url=primary.dsn(), replica_url=standby.url, replica_age=age)
        pool = Pool(database.url, database)
        replica = Replica(pool, database)
        settings = Settings(database=database, outgoing=LOOPBACK)
        core = attrs.evolve(make_core(settings=settings, pool=pool), replica=replica)
        try:
            async with serving(core) as client:
                # What the start of the service has written is there.
                while not await replica.may_answer():
                    await asyncio.sleep(0.01)
                    await replica.check()
                yield Pair(client, replica)
        finally:
            await pool.close()
            await replica.close()

    return made


async def test_what_is_there_is_read_from_the_replica(pair: Making) -> None:
    """A replica that has all answers, and the answer says how old it is."""
    async with pair() as service:
        while (read_from := (await service.read())[1]) == "primary":
            await asyncio.sleep(0.01)

        place, _, age = read_from.partition(";age=")
        assert place == "replica"
        assert 0 <= float(age) < 5


async def test_what_was_just_written_is_in_the_answer(pair: Making, standby: Standby) -> None:
    """A replica that has not replayed what this service wrote is not read, whatever its age."""
    async with pair(age=3600) as service:
        await service.read()
        with standby.held_up():
            await service.write("own")
            ids, read_from = await service.read()

            assert "own" in ids
            assert read_from == "primary"


async def test_the_replica_answers_again_when_it_has_come_so_far(
    pair: Making, standby: Standby
) -> None:
    """What was just written is read from the replica as soon as it is there."""
    async with pair() as service:
        with standby.held_up():
            await service.write("later")
            await service.read()
        while (found := await service.read())[1] == "primary":
            await asyncio.sleep(0.01)

        assert "later" in found[0]


async def test_nothing_is_missing_that_others_wrote(pair: Making, standby: Standby) -> None:
    """Where no age is allowed, what another service has written is in the answer as well."""
    async with pair() as service, pair() as other:
        await service.read()
        with standby.held_up():
            await other.write("theirs")
            ids, read_from = await service.read()

            assert "theirs" in ids
            assert read_from == "primary"


async def test_an_age_that_is_allowed(pair: Making, standby: Standby) -> None:
    """Within the age, what another service wrote may be missing, and it is said how long."""
    async with pair(age=3600) as service, pair() as other:
        await service.read()
        with standby.held_up():
            await other.write("unseen")
            ids, read_from = await service.read()

            assert "unseen" not in ids
            assert read_from.startswith("replica;age=")


@pytest.mark.parametrize("asked", ["no-cache", "max-age=0", 'no-store, max-age="0"'])
async def test_a_client_may_ask_for_all(pair: Making, standby: Standby, asked: str) -> None:
    """`Cache-Control` of a request asks for what was written through another process."""
    id_ = f"asked-{len(asked)}"
    async with pair(age=3600) as service, pair() as other:
        await service.read()
        with standby.held_up():
            await other.write(id_)
            ids, read_from = await service.read(**{"Cache-Control": asked})

            assert id_ in ids
            assert read_from == "primary"


async def test_a_client_cannot_ask_for_older_answers(pair: Making, standby: Standby) -> None:
    """What the client would take does not make the bound of the service any wider."""
    async with pair() as service, pair() as other:
        with standby.held_up():
            await other.write("bounded")
            ids, _ = await service.read(**{"Cache-Control": "max-age=3600"})

            assert "bounded" in ids


async def test_a_replica_that_is_gone(pair: Making, standby: Standby) -> None:
    """Without its replica a service answers by the primary, and by the replica when it is back."""
    async with pair() as service:
        await service.read()
        standby.stop()
        try:
            _, read_from = await service.read()
            assert read_from == "primary"
            assert service.replica.fault is not None
        finally:
            standby.start()
        await service.replica.check()
        while (await service.read())[1] == "primary":
            await asyncio.sleep(0.01)


async def test_reads_at_once_share_a_look(pair: Making) -> None:
    """Many who ask at once do not ask the servers as often."""
    async with pair() as service:
        while (await service.read())[1] == "primary":
            await asyncio.sleep(0.01)
        before = service.replica.pool.stats.connects
        await asyncio.gather(*(service.read() for _ in range(30)))

        assert service.replica.reads.total() > 30
        assert service.replica.pool.stats.connects - before <= 10


async def test_a_server_that_is_no_standby(primary: Embedded) -> None:
    """A URL that leads to the primary itself, or to any other server, is not read."""
    database = Database(url=primary.dsn(), replica_url=primary.dsn())
    pool = Pool(database.url, database)
    replica = Replica(pool, database)
    try:
        await replica.check()

        assert replica.fault == "it is no standby: it replays no log of another server"
        assert not await replica.may_answer()
    finally:
        await pool.close()
        await replica.close()


async def test_a_standby_of_another_server(standby: Standby, database: str) -> None:
    """The replica of another cluster is not read."""
    settings = Database(url=database, replica_url=standby.url)
    pool = Pool(settings.url, settings)
    replica = Replica(pool, settings)
    try:
        await replica.check()

        assert replica.fault == "it is a standby of another cluster"
    finally:
        await pool.close()
        await replica.close()


async def test_another_database_of_the_replica(primary: Embedded, standby: Standby) -> None:
    """A URL that names another database of the same servers is not read."""
    other = standby.url.replace("/energia?", "/postgres?")
    settings = Database(url=primary.dsn(), replica_url=other)
    pool = Pool(settings.url, settings)
    replica = Replica(pool, settings)
    try:
        await replica.check()

        assert replica.fault == "it is of the database 'postgres', and the primary is 'energia'"
    finally:
        await pool.close()
        await replica.close()


def test_the_url_of_a_replica_that_is_none() -> None:
    """What is wrong with the URL is said of its own setting."""
    with pytest.raises(ConfigurationError, match=r"database\.replica_url"):
        Replica(Pool("postgresql:///x", Database()), Database(replica_url="nowhere"))


async def test_metrics(pair: Making) -> None:
    """The metrics say who answered how many reads, whether the replica is read, and its age."""
    async with pair() as service:
        core = attrs.evolve(make_core(), replica=service.replica)
        while (await service.read())[1] == "primary":
            await asyncio.sleep(0.01)
        reads, readable, behind = [
            family for family in ServiceCollector(core).collect() if "replica" in family.name
        ]

        found = {sample.labels["place"]: sample.value for sample in reads.samples}
        assert found == {place: service.replica.reads[place] for place in ("primary", "replica")}
        assert found["replica"] >= 1
        assert readable.samples[0].value == 1.0
        assert 0.0 <= behind.samples[0].value < 5.0

        service.replica.fail("the cable is cut")
        (readable,) = [
            family for family in ServiceCollector(core).collect() if "readable" in family.name
        ]
        assert readable.samples[0].value == 0.0


async def test_health(pair: Making, standby: Standby) -> None:
    """The probe says how far behind the replica is, and warns where it is not read."""
    async with pair() as service:
        core = attrs.evolve(make_core(), replica=service.replica)
        found = await ReplicaProbe().check(core)
        assert isinstance(found, Observed)
        assert (found.unit, found.warning) == ("s", None)

        service.replica.fail("the cable is cut")
        standby.stop()
        try:
            gone = await ReplicaProbe().check(core)
        finally:
            standby.start()
        assert gone.warning is not None
        assert gone.warning.startswith("it is not read: ")
