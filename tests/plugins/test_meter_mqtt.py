"""Readings over MQTT, from a real broker: stored and then acknowledged, whatever ends meanwhile."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from energia.configuration.values import structure
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Health, Sources
from energia.settings import Settings as Service
from energia_plugins.meter_mqtt import MeterMqtt
from energia_plugins.meter_mqtt.settings import Settings
from tests.brokers import Broker, broker
from tests.certificates import write_certificate
from tests.core.metering.test_endpoints import CHANNEL, SITE, answer
from tests.core.metering.test_sources import check
from tests.serving import Client, Serving, make_core

pytestmark = pytest.mark.needs("mosquitto")

#: 2026-03-01T00:00:00Z.
START = 1_772_323_200
QUARTER = 900
SLOTS: dict[str, Any] = {
    "topic": "meters/+/energy",
    "meter": "{2}",
    "values": {"import": "kwh"},
    "unit": "kWh",
    "counter": False,
    "time": "end",
    "times": "epoch",
}


def used(number: int) -> int:
    """Return the energy in a slot: another one for each, and not one that only grows."""
    return number ^ 1


def slots(count: int, first: int = 0, meter: str = "m") -> Iterator[tuple[str, bytes]]:
    """Yield messages, one for each of consecutive slots, with the energy in it."""
    for number in range(first, first + count):
        end = START + (number + 1) * QUARTER
        yield f"meters/{meter}/energy", json.dumps({"end": end, "kwh": used(number)}).encode()


@asynccontextmanager
async def service(
    serving: Serving, pool: Pool, of: Broker, topic: dict[str, Any] = SLOTS, **more: Any
) -> AsyncIterator[Client]:
    """Serve with a source of a broker, and with the meter `m`."""
    table = {"broker": "127.0.0.1", "port": of.port, "topics": {"x": topic}, **more}
    plugin = MeterMqtt(structure(table, Settings, "plugins.meter-mqtt"))
    settings = Service(
        sources=Sources(lease=2, retry_first=0.05, retry_most=0.2), health=Health(period=0.05)
    )
    core = make_core(plugins=Plugins.of(meter_mqtt=plugin), pool=pool, settings=settings)
    async with serving(core) as client:
        await client.put("/v1/sites/home", json=SITE)
        await client.put("/v1/meters/m", json={"site": "home", "channels": [CHANNEL]})
        yield client


async def stored(client: Client, count: int) -> list[int]:
    """Return the values of the first slots, once there are so many."""
    query = {"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z"}
    async with asyncio.timeout(30):
        while True:
            found = await answer(await client.get("/v1/meters/m/readings", params=query))
            values = [value for value in found["values"] if value is not None]
            if len(values) >= count:
                return [int(value) for value in values]
            await asyncio.sleep(0.02)


async def received(client: Client) -> int:
    """Return how many readings came with all imports."""
    imports = await answer(await client.get("/v1/imports"))
    return sum(one["received"] for one in imports["items"])


async def test_messages_are_readings(pool: Pool, serving: Serving, tmp_path: Path) -> None:
    """Each once, in a few imports of the source's name."""
    async with broker(tmp_path) as found, service(serving, pool, found) as client:
        await check(client, "pass", "mqtt")
        await found.publish(slots(50))
        values = await stored(client, 50)
        imports = await answer(await client.get("/v1/imports"))

    assert values == [used(number) for number in range(50)]
    assert {one["format"] for one in imports["items"]} == {"mqtt"}
    assert len(imports["items"]) < 10


async def test_a_session_keeps_what_is_sent_while_nobody_is_here(
    pool: Pool, serving: Serving, tmp_path: Path
) -> None:
    """Nothing is lost while a service is stopped; nor is anything sent twice."""
    async with broker(tmp_path) as found:
        async with service(serving, pool, found) as client:
            await check(client, "pass", "mqtt")
            await found.publish(slots(5))
            await stored(client, 5)
        await found.publish(slots(200, first=5))
        async with service(serving, pool, found) as client:
            values = await stored(client, 205)
            count = await received(client)

    assert values == [used(number) for number in range(205)]
    assert count == 205


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_a_broker_may_end_and_come_back(
    pool: Pool, serving: Serving, tmp_path: Path, how: signal.Signals
) -> None:
    """`/health` warns meanwhile, and readings come again as soon as it is there."""
    async with broker(tmp_path) as found, service(serving, pool, found) as client:
        await check(client, "pass", "mqtt")
        await found.publish(slots(5))
        await stored(client, 5)
        await found.stop(how)
        await check(client, "warn", "mqtt")
        await found.start()
        await check(client, "pass", "mqtt")
        await found.publish(slots(5, first=5))
        values = await stored(client, 10)

    assert values == [used(number) for number in range(10)]


async def test_a_database_that_is_away_loses_nothing(
    pool: Pool, serving: Serving, tmp_path: Path
) -> None:
    """What cannot be stored is not acknowledged, and comes again."""
    async with broker(tmp_path) as found, service(serving, pool, found) as client:
        await check(client, "pass", "mqtt")
        async with pool.tenant().transaction() as queries:
            await queries.execute("lock table reading_day")
            await found.publish(slots(20))
            await asyncio.sleep(0.5)
            await queries.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        values = await stored(client, 20)

    assert values == [used(number) for number in range(20)]


async def test_retained_messages_are_no_readings(
    pool: Pool, serving: Serving, tmp_path: Path
) -> None:
    """They say what was, and come with every subscription; what comes while we listen is new."""
    async with broker(tmp_path) as found:
        await found.publish(slots(1), retain=True)
        async with service(serving, pool, found) as client:
            await check(client, "pass", "mqtt")
            await found.publish(slots(2, first=1), retain=True)
            values = await stored(client, 2)

    assert values == [used(1), used(2)]


async def test_a_message_that_cannot_be_read_holds_up_nothing(
    pool: Pool, serving: Serving, tmp_path: Path
) -> None:
    """It is acknowledged, and in the problems of its import."""
    bad = [("meters/m/energy", b"\xff"), ("meters/m/energy", b"{}"), *slots(1, meter="unknown")]
    async with broker(tmp_path) as found, service(serving, pool, found, gather=0.5) as client:
        await check(client, "pass", "mqtt")
        await found.publish([*bad, *slots(1)])
        await stored(client, 1)
        imports = await answer(await client.get("/v1/imports"))
        kept = await answer(await client.get(f"/v1/imports/{imports['items'][0]['import']}"))
    async with broker(tmp_path) as found, service(serving, pool, found) as client:
        await check(client, "pass", "mqtt")
        await asyncio.sleep(0.3)
        count = await received(client)

    assert {one["code"] for one in kept["problems"]} == {"not_json", "no_value", "unknown_meter"}
    assert count == 4


async def test_the_third_version_of_the_protocol(
    pool: Pool, serving: Serving, tmp_path: Path
) -> None:
    """Older brokers know no other."""
    async with (
        broker(tmp_path) as found,
        service(serving, pool, found, protocol="3.1.1", gather=0.01) as client,
    ):
        await check(client, "pass", "mqtt")
        await found.publish(slots(100))
        values = await stored(client, 100)

    assert values == [used(number) for number in range(100)]


async def test_a_counter_is_as_of_its_arrival(pool: Pool, serving: Serving, tmp_path: Path) -> None:
    """A broker keeps no such message for us: late, it would say what is not so."""
    topic = {"topic": "c", "meter": "m", "values": {"import": ""}, "unit": "kWh"}
    async with broker(tmp_path) as found:
        async with service(serving, pool, found, topic) as client:
            await check(client, "pass", "mqtt")
        await found.publish([("c", b"12.5")])
        async with service(serving, pool, found, topic) as client:
            await check(client, "pass", "mqtt")
            await asyncio.sleep(0.3)
            (saved,) = await pool.tenant().fetch(int, "select count(*) from source_state")

    assert saved == 1  # the filters alone


async def test_reads_of_a_register_are_stored(pool: Pool, serving: Serving, tmp_path: Path) -> None:
    """A channel of kind `register` keeps what a device shows, as of its arrival."""
    topic = {"topic": "c", "meter": "m", "values": {"total": ""}, "unit": "kWh", "reads": True}
    channel = {**CHANNEL, "id": "total", "kind": "register", "interval": None}
    async with (
        broker(tmp_path) as found,
        service(serving, pool, found, {**topic, "tolerance": "PT14M59S"}) as client,
    ):
        body = {"site": "home", "channels": [CHANNEL, channel]}
        await answer(await client.put("/v1/meters/m", json=body))
        await check(client, "pass", "mqtt")
        await found.publish([("c", b"12.50")])
        reads: list[Any] = []
        while not reads:
            query = {"channel": "total", "start": "2020-01-01", "end": "2100-01-01"}
            kept = await answer(await client.get("/v1/meters/m/registers", params=query))
            reads = kept["items"]

    assert [one["value"] for one in reads] == ["12.50"]


async def test_topics_that_are_no_longer_wanted_are_given_up(
    pool: Pool, serving: Serving, tmp_path: Path
) -> None:
    """The broker remembers a session: it would send them for ever."""
    async with broker(tmp_path) as found:
        async with service(serving, pool, found, {**SLOTS, "topic": "meters/#"}) as client:
            await check(client, "pass", "mqtt")
        async with service(serving, pool, found, {**SLOTS, "topic": "others/#"}) as client:
            await check(client, "pass", "mqtt")
            await found.publish(slots(3))
            await found.publish([("others/m/energy", payload) for _, payload in slots(1, first=3)])
            values = await stored(client, 1)

    assert values == [used(3)]


async def test_a_broker_that_wants_a_password(pool: Pool, serving: Serving, tmp_path: Path) -> None:
    """With it, we are let in; without, `/health` says that we are not."""
    passwords = tmp_path / "passwords"
    command = ["mosquitto_passwd", "-c", "-b", str(passwords), "energia", "open sesame"]
    await (await asyncio.create_subprocess_exec(*command)).wait()
    more = (f"password_file {passwords}",)
    async with broker(tmp_path, more=more) as found:
        wrong: dict[str, Any] = {"username": "energia", "password": "hunter2"}
        async with service(serving, pool, found, **wrong) as client:
            await check(client, "warn", "mqtt")
            while not (errors := await pool.tenant().fetch(_text, "select error from source"))[0]:
                await asyncio.sleep(0.02)
        right: dict[str, Any] = {"username": "energia", "password": "open sesame"}
        async with service(serving, pool, found, **right) as client:
            await check(client, "pass", "mqtt")

    assert "Not authorized" in str(errors[0])
    assert "hunter2" not in str(errors[0])


async def test_a_broker_with_a_certificate(pool: Pool, serving: Serving, tmp_path: Path) -> None:
    """Whom nobody that we trust vouches for is not told our password."""
    certificate, key = write_certificate(tmp_path)
    more = (f"certfile {certificate}", f"keyfile {key}")
    async with broker(tmp_path, more=more) as found:
        async with service(serving, pool, found, tls=True) as client:
            await check(client, "warn", "mqtt")
            while not (errors := await pool.tenant().fetch(_text, "select error from source"))[0]:
                await asyncio.sleep(0.02)
        async with service(serving, pool, found, tls=True, ca=str(certificate)) as client:
            await check(client, "pass", "mqtt")

    assert "certificate verify failed" in str(errors[0])


def test_without_a_broker_there_is_no_source() -> None:
    """The plugin does nothing without settings."""
    assert Plugins.of(meter_mqtt=MeterMqtt).sources() == ()


def test_the_plugin_names_its_extra() -> None:
    """Without it, the plugin is unavailable, and the service starts all the same."""
    (entry,) = entry_points(group="energia", name="meter-mqtt")

    assert entry.extras == ["mqtt"]


def _text(text: str | None) -> str | None:
    return text
