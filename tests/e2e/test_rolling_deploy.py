"""A new release takes over behind a real proxy, under load: no request fails."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.e2e.load import Load
from tests.e2e.proxies import Proxy, proxying
from tests.e2e.service import Service, serving

#: A fifth of what is usual: 2 s between two health checks, 2 s ready, 10 s of drain.
INTERVAL = 0.4


@asynccontextmanager
async def released(database: str) -> AsyncIterator[Service]:
    """Run one release, until it is stopped."""
    async with serving(
        database, ENERGIA_SERVER__DRAIN_READY="0.4", ENERGIA_SERVER__DRAIN="2"
    ) as service:
        yield service


async def switched(proxy: Proxy, old: Service, new: Service) -> None:
    """Let *new* take over from *old* in the steps of the platform.

    Requests go to both as soon as the new one is healthy; then the old one gets SIGTERM and goes
    on serving, until the proxy has seen that it is not ready; it is forgotten when it has ended.
    """
    proxy.serve(old.url, new.url)
    await proxy.until(old="UP", new="UP")
    stop = asyncio.create_task(old.stop(signal.SIGTERM))
    await proxy.until(old="DOWN", new="UP")
    assert old.process.returncode is None  # it serves still
    assert await stop == 0
    proxy.serve(new.url)
    await proxy.until(new="UP")


async def test_a_switch_loses_nothing(database: str, tmp_path: Path) -> None:
    """A new release takes over: every request is answered, and every reading is there."""
    async with proxying(tmp_path, INTERVAL) as proxy, AsyncExitStack() as services:
        first = await services.enter_async_context(released(database))
        proxy.serve(first.url)
        await proxy.until(first="UP")
        load = Load(proxy.url, rate=60, meters=20)
        await load.set_up()
        async with load.running():
            await asyncio.sleep(0.5)
            second = await services.enter_async_context(released(database))
            await switched(proxy, first, second)
            await asyncio.sleep(0.5)
        lost = await load.lost()

    said = load.said()
    assert set(said) == {"GET 200", "POST 200"}, said
    assert len(load.acknowledged) > 100
    assert lost == []
