"""The service as it runs in production, with a database of its own, and meters in it.

The service is a process of its own, PostgreSQL has its defaults for durability, and metrics and
logging are on. A client is the process of the benchmark; all of them share the machine.
"""

import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

import aiohttp
import attrs
import msgspec
import psycopg2

from energia.db.connect import connected
from energia.db.embedded import ADMIN, ROLE
from energia.db.migrate import migrate
from energia.settings import Database
from tests.e2e.service import OPEN, Service, serving

#: The 15-minute slots of a year.
SLOTS: Final = 365 * 96
SITE: Final = {"name": "Bench", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
CHANNEL: Final = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT15M",
    "kind": "interval",
}
JSON: Final = {"Content-Type": "application/json"}
#: Meters of the site, with a channel of 15-minute energy each. One by one over the API, ten
#: thousand would take a minute.
_METERS: Final = """
select set_config('energia.organization', '1', true);
insert into meter (organization_id, id, site_id)
select 1, 'meter-' || n, 'bench' from generate_series(%(first)s, %(past)s - 1) n;
with made as (
  insert into channel (organization_id, meter_id, name, position, quantity, direction, unit,
    interval_seconds, offset_seconds, kind)
  select 1, 'meter-' || n, 'import', 0, 'active_energy', 'import', 'kWh', 900, 0, 'interval'
  from generate_series(%(first)s, %(past)s - 1) n
  returning id
)
select array_agg(id order by id) from made
"""


@attrs.frozen
class Scene:
    """A service that runs.

    Attributes:
        dsn: Its database, for a peer that is asked there too.
        service: The process.
        api: A client of it.

    """

    dsn: str
    service: Service
    api: aiohttp.ClientSession

    def make_meters(self, count: int, first: int = 0) -> list[int]:
        """Make meters `meter-0`, `meter-1`, ... with a channel each; return the channels' keys."""
        with closing(psycopg2.connect(self.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(_METERS, {"first": first, "past": first + count})
            keys: list[int] = cursor.fetchall()[0][0]
            connection.commit()
        return keys

    def administer(self, *statements: str) -> None:
        """Run statements that only who administers the server may, each by itself."""
        server = self.dsn.replace(f"{ROLE}@/{ROLE}", f"{ADMIN}@/{ADMIN}")
        with closing(psycopg2.connect(server)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            for each in statements:
                cursor.execute(each)

    async def put(self, path: str, body: Any) -> None:
        """Put something that is not there."""
        async with self.api.put(path, json=body) as answer:
            assert answer.status in (200, 201), await answer.text()

    async def post(self, path: str, body: bytes, headers: dict[str, str] = JSON) -> bytes:
        """Post a body, and return what is answered."""
        async with self.api.post(path, data=body, headers=headers) as answer:
            content = await answer.read()
            assert answer.status in (200, 201), content
            return content


@asynccontextmanager
async def database() -> AsyncIterator[str]:
    """Give a PostgreSQL of this machine with a migrated database, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        # As root the server runs as another account, which must be let in.
        Path(folder).chmod(0o755)
        async with connected(Database(url=f"embedded:{folder}/db")) as dsn:
            await migrate(dsn)
            yield dsn


@asynccontextmanager
async def scene(contracts: int = 5000, concurrency: int = 2) -> AsyncIterator[Scene]:
    """Give a service on a new database, with the site `bench` in it, until the block ends.

    A run over more *contracts* is a job; the service works off so many at once (*concurrency*).
    """
    jobs = {
        "ENERGIA_JOBS__CONTRACTS": f"{contracts}",
        "ENERGIA_JOBS__CONCURRENCY": f"{concurrency}",
    }
    async with (
        database() as dsn,
        serving(dsn, wait=True, port=None, **OPEN, **jobs) as service,
        aiohttp.ClientSession(service.url, timeout=aiohttp.ClientTimeout(600)) as api,
    ):
        found = Scene(dsn, service, api)
        await found.put("/v1/sites/bench", SITE)
        yield found


def year(meter: int, changed: float = 0.0) -> list[float]:
    """Return a year of readings in kWh; a share *changed* differs from what it is without."""
    numbers = random.Random(meter)
    values = [numbers.randrange(3000) / 1000 for _ in range(SLOTS)]
    other = random.Random(meter + 1_000_000)
    for slot in other.sample(range(SLOTS), int(SLOTS * changed)):
        values[slot] += 5
    return values


def year_body(meter: int, changed: float = 0.0) -> bytes:
    """Return the request that sends a meter's year in the `series` form."""
    series = {
        "meter": f"meter-{meter}",
        "channel": "import",
        "start": "2025-01-01T00:00:00-03:00",
        "interval": "PT15M",
        "unit": "kWh",
        "values": year(meter, changed),
    }
    return msgspec.json.encode({"series": [series]})


def processor_seconds(pid: int) -> float:
    """Return how many seconds of the processor a process has used, with all of its threads."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text(encoding="utf-8").split()[0]) for each in threads) / 1e9
