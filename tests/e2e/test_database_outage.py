"""A database that is killed under load: nothing acknowledged is lost, nothing needs a restart."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from energia.db.embedded import Embedded
from tests.e2e.load import Load, Watch
from tests.e2e.outages import outage
from tests.e2e.service import Service, serving

#: Short, so that a test takes seconds.
GRACE = 2.0


@pytest.fixture(name="own")
def _own(open_folder: Path) -> Iterator[Embedded]:
    """Give a running server that a test may kill."""
    server = Embedded(open_folder / "killed")
    server.start()
    yield server
    server.stop()


def _serving(database: str) -> AbstractAsyncContextManager[Service]:
    return serving(
        database,
        ENERGIA_HEALTH__PERIOD="0.2",
        ENERGIA_HEALTH__TIMEOUT="0.5",
        ENERGIA_HEALTH__DATABASE_GRACE=str(GRACE),
    )


async def test_killed_and_restarted_under_load(own: Embedded) -> None:
    """While it is away there are proper 503s; readiness waits for its grace; then all is well."""
    async with _serving(own.dsn()) as service:
        load, watch = Load(service.url, rate=60, meters=10), Watch(service.url)
        await load.set_up()
        async with watch.running():
            async with load.running():
                await asyncio.sleep(1)
                short = await outage(own, watch, seconds=0.3)
                await asyncio.sleep(1)
                long = await outage(own, watch, seconds=2 * GRACE)
                await asyncio.sleep(1)
            lost = await load.lost()
        said, after = load.said(), load.said(since=long.ready)

        assert set(said) == {"GET 200", "POST 200", "GET 503", "POST 503"}
        assert set(after) == {"GET 200", "POST 200"}
        assert {status for _, status in watch.live} == {200}
        assert short.unready is None
        assert long.unready is not None
        assert GRACE - 0.5 <= long.unready - long.killed <= GRACE + 1.5
        assert long.ready - long.back < 5
        assert len(load.acknowledged) > 50
        assert lost == []
        assert service.process.returncode is None
        assert service.tracebacks() == []
