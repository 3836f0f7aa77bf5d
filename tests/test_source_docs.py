"""The source of `docs/how-to/meters.md` is true: it reads a logger, and goes on where it was."""

import asyncio
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from types import ModuleType

import pytest

from energia import Problem, Reading, SourceFailed
from energia.plugins import Plugins
from energia.testing import gathered
from tests.imports import ROOT

PAGE = (ROOT / "docs/how-to/meters.md").read_text(encoding="utf-8")
LINES = (
    b"1 2026-03-01T00:15:00Z 0.25\n",
    b"2 2026-03-01T00:30:00Z 0.5\n",
    b"3 2026-03-01T00:45:00 much\n",
)
QUARTER_PAST = 1_772_324_100


@pytest.fixture(name="plugin")
def _plugin() -> ModuleType:
    """Give the module that the page shows."""
    shown = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (source,) = [text for text in shown if "register_sources" in text]
    module = ModuleType("acme_logger")
    exec(compile(source, "acme_logger.py", "exec"), module.__dict__)
    return module


@pytest.fixture(name="port")
async def _port() -> AsyncIterator[int]:
    """Give the port of a logger that sends what comes after the number that it is told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        after = int(await reader.readline())
        writer.writelines(LINES[after:])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_the_source_reads(plugin: ModuleType, port: int) -> None:
    """A line is a reading, or a problem that says why not."""
    source = plugin.Logger(plugin.Settings("127.0.0.1", port))

    found = await gathered(source, count=3)

    first, second, third = found.items
    assert found.is_connected
    assert first == Reading(1, Decimal("0.25"), end=QUARTER_PAST, meter="main", unit="kWh")
    assert isinstance(second, Reading)
    assert isinstance(third, Problem)
    assert "no offset" in third.message
    assert found.state == {"line": 3}


async def test_the_source_goes_on_where_it_was(plugin: ModuleType, port: int) -> None:
    """The state that is saved is what it begins from."""
    source = plugin.Logger(plugin.Settings("127.0.0.1", port))

    found = await gathered(source, state={"line": 1}, count=2)

    assert [item.line for item in found.items] == [2, 3]


async def test_the_source_says_that_it_ends(plugin: ModuleType, port: int) -> None:
    """Neither a logger that ends the connection nor one that is away is waited for in vain."""
    source = plugin.Logger(plugin.Settings("127.0.0.1", port))
    with pytest.raises(SourceFailed, match="has ended the connection"):
        await gathered(source, count=9)
    with pytest.raises(SourceFailed, match="is away"):
        await gathered(plugin.Logger(plugin.Settings("127.0.0.1", 1)))


def test_the_plugin_offers_it_with_settings(plugin: ModuleType) -> None:
    """Without a host there is no source."""
    assert Plugins.of(acme_logger=plugin.AcmeLogger).sources() == ()
    assert Plugins.of(acme_logger=plugin.AcmeLogger(plugin.Settings("logger"))).sources()
