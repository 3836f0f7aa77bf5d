"""A database that is killed under load: nothing acknowledged is lost, nothing needs a restart."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from statistics import median

import pytest

from energia.db.embedded import Embedded
from tests.e2e.load import Load, Watch
from tests.e2e.outages import Outage, freeze, outage
from tests.e2e.service import Service, serving

#: Short, so that a test takes seconds.
GRACE = 1.0


@pytest.fixture(name="own")
def _own(open_folder: Path) -> Iterator[Embedded]:
    """Give a running server that a test may kill."""
    with tempfile.TemporaryDirectory(dir=open_folder) as folder:
        Path(folder).chmod(0o755)
        server = Embedded(Path(folder))
        server.start()
        yield server
        server.stop()


def _serving(database: str, wait: float) -> AbstractAsyncContextManager[Service]:
    """Run a service that waits for a connection for so many seconds."""
    return serving(
        database,
        ENERGIA_DATABASE__ACQUIRE_TIMEOUT=str(wait),
        ENERGIA_DATABASE__CONNECT_TIMEOUT=str(wait),
        ENERGIA_HEALTH__PERIOD="0.2",
        ENERGIA_HEALTH__TIMEOUT="0.5",
        ENERGIA_HEALTH__DATABASE_GRACE=str(GRACE),
    )


def _waited(outage: Outage) -> float:
    """Return for how many seconds readiness stayed 200."""
    assert outage.unready is not None
    return outage.unready - outage.killed


async def test_killed_and_restarted_under_load(own: Embedded) -> None:
    """While it is away there are proper 503s; readiness waits for its grace; then all is well."""
    # A server that is not there refuses at once: what has to wait does so on a slow machine alone.
    async with _serving(own.dsn(), wait=15) as service:
        load, watch = Load(service.url, rate=60, meters=10), Watch(service.url)
        await load.set_up()
        async with watch.running():
            async with load.running():
                await asyncio.sleep(1)
                short = await outage(own, watch, seconds=0.3)
                await asyncio.sleep(1)
                long = await outage(own, watch)
                await asyncio.sleep(1)
            lost = await load.lost()
        said, after = load.said(), load.said(since=long.ready)

        assert set(said) == {"GET 200", "POST 200", "GET 503", "POST 503"}
        assert set(after) == {"GET 200", "POST 200"}
        assert {status for _, status in watch.live} == {200}
        # The grace runs from the last success, which is a moment ago.
        assert short.unready is None or _waited(short) >= GRACE - 1
        assert _waited(long) >= GRACE - 1
        assert len(load.acknowledged) > 50
        assert lost == []
        assert service.process.returncode is None
        assert service.tracebacks() == []


@pytest.mark.long
async def test_frozen_under_load(own: Embedded) -> None:
    """A database that says nothing holds up what has asked it, and nothing else for long."""
    async with _serving(own.dsn(), wait=1) as service:
        load, watch = Load(service.url, rate=60, meters=10), Watch(service.url)
        await load.set_up()
        async with watch.running():
            async with load.running():
                await asyncio.sleep(1)
                frozen = await freeze(own, watch, seconds=2 * GRACE)
                await asyncio.sleep(1)
            lost = await load.lost()
        said = load.said()

        assert set(said) <= {"GET 200", "POST 200", "GET 503", "POST 503"}
        assert {status for _, status in watch.live} == {200}
        assert frozen.unready is not None
        assert frozen.ready - frozen.back < 5
        assert median(one.seconds for one in load.answered if one.said.endswith("503")) < 2
        assert max(one.seconds for one in load.answered) < 2 * GRACE + 5
        assert lost == []
        assert service.tracebacks() == []
