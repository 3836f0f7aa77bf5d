"""Telegrams over TCP: the first whole one of each slot, and two hours of them at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from energia import SourceFailed
from energia.configuration.values import structure
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Health
from energia.settings import Settings as Service
from energia.testing import gathered
from energia_plugins import meter_dsmr
from energia_plugins.meter_p1 import MeterP1
from energia_plugins.meter_p1.settings import Settings
from energia_plugins.meter_p1.source import P1Source
from tests.core.metering.test_endpoints import CHANNEL, SITE, answer
from tests.core.metering.test_sources import check
from tests.plugins.test_meter_dsmr import read
from tests.serving import Serving, make_core

OPTIONS = {"meter": "m", "channels": "import:import"}
#: Telegrams of two slots and of the times between; the fourth one was damaged.
SENT = [
    read("260301010000W", "000100.000"),
    read("260301010010W", "000100.010"),
    read("260301011450W", "000100.490"),
    read("260301011500W", "000100.500", crc="0000"),
    read("260301011510W", "000100.510"),
    read("260301013000W", "000101.000"),
]
#: Those that are kept: the first whole one of each slot.
KEPT = [SENT[0], SENT[4], SENT[5]]


@attrs.define
class Bridge:
    """A bridge that sends what a test tells it to, and then nothing."""

    sent: list[str]
    is_ended: bool = False
    port: int = 0

    async def serve(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send it, and end or wait."""
        writer.write("".join(self.sent).encode("latin-1"))
        await writer.drain()
        while not self.is_ended:
            await asyncio.sleep(0.01)
        writer.close()


@asynccontextmanager
async def bridge(*sent: str, is_ended: bool = False) -> AsyncIterator[Bridge]:
    """Serve telegrams."""
    found = Bridge(list(sent), is_ended)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found
        found.is_ended = True
        await asyncio.sleep(0.02)


def p1(port: int, **more: Any) -> P1Source:
    """Return the source of a bridge."""
    table = {"host": "127.0.0.1", "port": port, "options": OPTIONS, **more}
    settings = structure({"meters": {"home": table}}, Settings, "plugins.meter-p1")
    return P1Source("home", settings.meters["home"])


async def test_the_first_whole_telegram_of_each_slot_is_kept() -> None:
    """Each time all that is kept is handed over; the state is that."""
    async with bridge("cut off\r\n!1234\r\n", *SENT) as found:
        emit = await gathered(p1(found.port), count=3)

    files = [data.decode() for data, format_, _ in emit.files]
    assert files == ["".join(KEPT[: count + 1]) for count in range(3)]
    assert emit.state == {"telegrams": KEPT}
    assert emit.is_connected


async def test_two_hours_are_kept() -> None:
    """So the slots of gas have both ends; a restart goes on with them."""
    sent = [
        read(f"26030101{minute:02}00W" if hour == 1 else f"260301{hour:02}{minute:02}00W", "1.000")
        for hour in range(1, 5)
        for minute in (0, 15, 30, 45)
    ]
    async with bridge(*sent[:10]) as found:
        first = await gathered(p1(found.port), count=10)
    async with bridge(*sent[9:]) as found:
        second = await gathered(p1(found.port), count=6, state=first.state)

    assert first.state == {"telegrams": sent[1:10]}
    assert second.state == {"telegrams": sent[-9:]}
    assert len(second.files) == 6


@pytest.mark.parametrize(
    ("sent", "is_ended", "more", "reason"),
    [
        ((), True, {}, "has ended the connection"),
        ((), False, {"timeout": 0.05}, "no telegram within 0.05 s"),
        (("x" * 40_000,), False, {}, "there is no telegram"),
        ((), False, {"options": {"interval": "often"}}, "`interval`"),
    ],
)
async def test_a_bridge_that_sends_no_telegram_is_told(
    sent: tuple[str, ...], is_ended: bool, more: dict[str, Any], reason: str
) -> None:
    """The source fails, and is begun again by the core."""
    async with bridge(*sent, is_ended=is_ended) as found:
        with pytest.raises(SourceFailed, match=reason):
            await gathered(p1(found.port, **more))


async def test_a_bridge_that_is_away_is_told() -> None:
    """Nobody listens there."""
    with pytest.raises(SourceFailed, match="the bridge is away"):
        await gathered(p1(1))


@pytest.fixture(name="listening")
def _listening(pool: Pool) -> Callable[[int, dict[str, str]], Any]:
    """Give what makes a core that listens to a bridge."""

    def made(port: int, options: dict[str, str]) -> Any:
        table = {"host": "127.0.0.1", "port": port, "options": options}
        settings = structure({"meters": {"home": table}}, Settings, "plugins.meter-p1")
        plugins = Plugins.of(meter_p1=MeterP1(settings), meter_dsmr=meter_dsmr)
        return make_core(plugins=plugins, pool=pool, settings=Service(health=Health(period=0.05)))

    return made


async def test_telegrams_become_readings_in_a_service(
    pool: Pool, serving: Serving, listening: Callable[[int, dict[str, str]], Any]
) -> None:
    """A quarter-hour is the difference of two of them, whatever came again."""
    async with serving(make_core(pool=pool)) as client:
        await client.put("/v1/sites/home", json=SITE)
        await client.put("/v1/meters/m", json={"site": "home", "channels": [CHANNEL]})
    sent = SENT[0], SENT[1], read("260301011500W", "000100.500"), SENT[5]
    async with bridge(*sent) as found, serving(listening(found.port, OPTIONS)) as client:
        await check(client, "pass", "p1-home")
        kept: dict[str, Any] = {"values": []}
        while len([value for value in kept["values"] if value is not None]) < 2:
            query = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T00:45:00Z"}
            kept = await answer(await client.get("/v1/meters/m/readings", params=query))

    assert kept["values"] == [0.5, 0.5, None]


async def test_options_that_do_not_fit_are_told(
    pool: Pool, serving: Serving, listening: Callable[[int, dict[str, str]], Any]
) -> None:
    """The format says what is wrong, in `/health`."""
    options = {**OPTIONS, "tolerence": "PT10S"}
    async with bridge(*SENT) as found, serving(listening(found.port, options)) as client:
        await check(client, "warn", "p1-home")
        while not (errors := await pool.tenant().fetch(_text, "select error from source"))[0]:
            await asyncio.sleep(0.02)

    assert "telegrams cannot be read" in str(errors[0])


def _text(text: str | None) -> str | None:
    return text
