"""What a health plugin makes of a service."""

import asyncio
from collections.abc import Callable

from energia.core import Core
from energia.health.monitor import Component
from energia.web.keys import MONITOR
from tests.serving import Client


async def component_of(client: Client, name: str) -> Component | None:
    """Return the component *name* of the service behind *client*; None if it is not shown."""
    assert client.app is not None
    found = client.app[MONITOR].components()
    return next((one for one in found if one.name == name), None)


async def until(client: Client, name: str, wanted: Callable[[Component], bool]) -> Component:
    """Wait until the component *name* is as it is wanted, and return it."""
    async with asyncio.timeout(60):
        while True:
            found = await component_of(client, name)
            if found is not None and wanted(found):
                return found
            await asyncio.sleep(0.01)


def probe_names(core: Core) -> list[str]:
    """Return the names of all probes, active or not."""
    return [probe.name for probe in core.plugins.probes()]
