"""Counters over Modbus TCP: numbers in registers, wraps, SunSpec, and a device that is killed."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from energia import (
    ACTUAL,
    QUALITIES,
    MeterRead,
    Problem,
    Reading,
    RegisterFault,
    SourceFailed,
    Unfit,
    structure,
)
from energia.db.pool import Pool
from energia.errors import Invalid
from energia.plugins import Plugins
from energia.settings import Health, Sources
from energia.settings import Settings as Service
from energia.testing import Gathered, gathered
from energia_plugins.meter_modbus import MeterModbus, sunspec
from energia_plugins.meter_modbus.counters import Counter, Shown
from energia_plugins.meter_modbus.numbers import NumberType, WordOrder, modulus, number_of
from energia_plugins.meter_modbus.settings import Device, Settings, bundled_maps, register_map
from energia_plugins.meter_modbus.source import Meter, ModbusDevice
from tests.core.metering.test_sources import check
from tests.e2e.service import free_port
from tests.modbus_device import words
from tests.serving import Serving, make_core

DERIVED = QUALITIES.index("derived")
DEVICE = {"host": "h", "map": "eastron-sdm", "meter": "m"}
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("registers", "type_", "word_order", "number"),
    [
        ([0x0012, 0xD687], "uint32", "big", "1234567"),
        ([0xD687, 0x0012], "uint32", "little", "1234567"),
        ([0xD687, 0x0012], "uint32", "big", "3599171602"),  # the same, read wrong
        ([0xFFFF], "int16", "big", "-1"),
        ([0xFFFF, 0xFFFE], "int32", "big", "-2"),
        ([0, 0, 1, 0], "uint64", "big", "65536"),
        ([0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], "int64", "big", "-1"),
        ([0x42F6, 0xCCCD], "float32", "big", "123.4"),
        ([0xCCCD, 0x42F6], "float32", "little", "123.4"),
        ([0x4B80, 0x0000], "float32", "big", "16777216"),
        ([0x405E, 0xD999, 0x9999, 0x999A], "float64", "big", "123.4"),
    ],
)
def test_numbers(
    registers: Sequence[int], type_: NumberType, word_order: WordOrder, number: str
) -> None:
    """Each maker has an order of its own; a float is the decimal that the device means."""
    assert number_of(registers, type_, word_order) == Decimal(number)


@pytest.mark.parametrize("registers", [[0x7FC0, 0], [0x7F80, 0]])
def test_what_is_no_number_is_none(registers: Sequence[int]) -> None:
    """NaN and infinity stand for a value that there is not."""
    assert number_of(registers, "float32") is None


def shown(number: int, scale: str = "1", type_: NumberType = "uint32") -> Shown:
    """Return what a counter of Wh shows."""
    return Shown(Decimal(number), type_, Decimal(scale), "Wh")


def test_a_counter_begins_anew_at_its_largest_number() -> None:
    """2**32 Wh are followed by 0, also where the service was restarted in between."""
    counter, largest = Counter(900, 60, None), modulus("uint32") or 0

    counter.slot(0, shown(largest - 300))
    first = counter.slot(900, shown(largest - 100))
    counter = Counter(900, 60, json.loads(json.dumps(counter.state())))
    rest = [counter.slot(1800, shown(150)), counter.slot(2700, shown(400))]

    assert first == (0, Decimal(200))
    assert rest == [(900, Decimal(250)), (1800, Decimal(250))]


@pytest.mark.parametrize(
    "second",
    [
        shown(5),  # far from the largest number: it was reset
        Shown(Decimal(2000), "uint32", Decimal(10), "Wh"),  # the device was set up otherwise
        Shown(Decimal(2000), "uint32", Decimal(1), "varh"),
    ],
)
def test_nothing_is_counted_across_a_reset(second: Shown) -> None:
    """It is told, and what comes after counts from there."""
    counter = Counter(900, 60, None)
    counter.slot(0, shown(1000))

    with pytest.raises(RegisterFault):
        counter.slot(900, second)
    third = attrs.evolve(second, number=second.number + 7)

    assert counter.slot(1800, third) == (900, 7 * second.scale)


def test_a_counter_of_other_slots_begins_anew() -> None:
    """What was saved was of another grid."""
    counter = Counter(900, 60, None)
    counter.slot(900, shown(1000))

    assert Counter(3600, 60, counter.state()).slot(3600, shown(2000)) is None


# SunSpec.


def chain(base: int, *models: tuple[int, dict[int, list[int]]]) -> dict[int, int]:
    """Return the registers of a device with models, each with words at some of its places."""
    lengths = {1: 66, 103: 50, 113: 60, 203: 105, 213: 124}
    found = [0x5375, 0x6E53]
    for number, places in models:
        model = [number, lengths[number], *[0] * lengths[number]]
        for place, values in places.items():
            model[place : place + len(values)] = values
        found += model
    return {base + at: word for at, word in enumerate([*found, 0xFFFF, 0])}


async def counters(registers: dict[int, int]) -> dict[str, str]:
    """Return what the counters of a device show, as text."""

    async def read(address: int, count: int) -> Sequence[int] | None:
        found = [registers.get(address + at) for at in range(count)]
        return None if None in found else [word for word in found if word is not None]

    found = await sunspec.shown(read, await sunspec.models(read))
    return {
        name: each.code if isinstance(each, Unfit) else f"{each.number * each.scale:f} {each.unit}"
        for name, each in found
    }


@pytest.mark.parametrize("base", [40_000, 50_000, 0])
async def test_an_inverter_counts_what_it_generates(base: int) -> None:
    """By the power of ten that it states, wherever its models begin."""
    inverter = {24: words(">I", 123_456), 26: words(">h", 1)}

    found = await counters(chain(base, (1, {}), (103, inverter)))

    assert found == {"generation": "1234560 Wh"}


async def test_several_meters_behind_one_inverter() -> None:
    """They are told apart; a counter that a device lacks shows 0 and is none."""
    first = {38: words(">I", 5), 46: words(">I", 7), 54: words(">h", -1)}
    second = {46: words(">I", 9), 54: words(">h", 0)}

    found = await counters(chain(40_000, (103, {}), (203, first), (203, second)))

    assert found == {"export": "0.5 Wh", "import": "0.7 Wh", "import.2": "9 Wh"}


async def test_models_with_floats() -> None:
    """They need no power of ten."""
    inverter, meter = {32: words(">f", 1500.5)}, {60: words(">f", 2.25), 68: words(">f", 4)}

    found = await counters(chain(40_000, (113, inverter), (213, meter)))

    assert found == {"generation": "1500.5 Wh", "export": "2.25 Wh", "import": "4.0 Wh"}


async def test_a_counter_without_its_power_of_ten_is_refused() -> None:
    """It may be anything."""
    meter = {46: words(">I", 7), 54: words(">h", -0x8000)}

    assert await counters(chain(40_000, (203, meter))) == {"import": "no_scale"}


@pytest.mark.parametrize("registers", [{}, chain(40_000, (1, {}))])
async def test_a_device_without_models_of_energy_is_told(registers: dict[int, int]) -> None:
    """The source fails and says why."""
    with pytest.raises(SourceFailed, match=r"none of SunSpec|no model that counts energy"):
        await counters(registers)


# A device.


@attrs.define
class Quick:
    """A clock that goes on by half a slot whenever it is asked: once to read, once to wait."""

    at: datetime = START - timedelta(minutes=7.5)

    def now(self) -> datetime:
        """Return the next time."""
        self.at += timedelta(minutes=7.5)
        return self.at


@asynccontextmanager
async def device(port: int, watt_hours: int) -> AsyncIterator["asyncio.subprocess.Process"]:
    """Run a device in a process of its own; it is killed at the end."""
    quiet = asyncio.subprocess.DEVNULL
    command = (sys.executable, "-m", "tests.modbus_device", str(port), str(watt_hours))
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    try:
        async with asyncio.timeout(20):
            while not _listens(port):
                await asyncio.sleep(0.02)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def polled(port: int, **more: Any) -> ModbusDevice:
    """Return the source of a device that is read without pauses."""
    table = {
        "host": "127.0.0.1",
        "port": port,
        "meter": "m",
        "map": "eastron-sdm",
        "timeout": 0.3,
        **more,
    }
    return ModbusDevice("cellar", attrs.evolve(structure(table, Device), period=0.001))


@pytest.mark.parametrize(
    ("map_", "used", "unit"),
    [("eastron-sdm", "0.5", "kWh"), ("abb-b", "0.50", "kWh"), ("sunspec", "250", "Wh")],
)
async def test_counters_become_readings(map_: str, used: str, unit: str) -> None:
    """A device counts the same in the ways of three makers."""
    port = free_port()
    async with device(port, 10_000):
        source = polled(port, map=map_, channels={"import": "import"})
        found = await gathered(source, count=2, clock=Quick())

    first = int(START.timestamp())
    assert found.is_connected
    assert found.items[:2] == [
        Reading(1, Decimal(used), at, at + 900, DERIVED, "m", "import", unit)
        for at in (first, first + 900)
    ]


def test_reads_are_kept_where_that_is_wanted() -> None:
    """One for each slot, with what a wrap has added; their channel judges them."""
    meter, largest = Meter(structure({**DEVICE, "reads": True}, Device), {}), modulus("uint32") or 0
    polls = [(0, largest - 5), (60, largest - 4), (900, 10), (1800, 3)]

    items = [
        item for at, number in polls for item in meter.read(at, [("import", shown(number))])[0]
    ]

    assert items == [
        MeterRead(1, Decimal(value), at, ACTUAL, "m", "import", "Wh")
        for at, value in ((0, largest - 5), (900, largest + 10), (1800, largest + 3))
    ]


async def test_a_device_that_is_killed_and_comes_back_goes_on() -> None:
    """Its counter has gone on, and so have we: one slot is missing, and none is wrong."""
    port, clock, own = free_port(), Quick(), {"import": "import"}
    emit = Gathered(clock=clock)
    async with device(port, 10_000) as process:
        running = asyncio.create_task(polled(port, channels=own).run(emit))
        await asyncio.wait_for(emit.until(2), 20)
        process.kill()
        with pytest.raises(SourceFailed):
            await running
    before = [one.start for one in emit.items if isinstance(one, Reading)]
    clock.at += timedelta(minutes=15)
    async with device(port, 90_000_000):
        found = await gathered(polled(port, channels=own), state=emit.state, clock=clock)

    (after, *_) = [one for one in found.items if isinstance(one, Reading)]
    assert {one.value for one in emit.items if isinstance(one, Reading)} == {Decimal("0.5")}
    assert (after.value, after.start) == (Decimal("0.5"), (before[-1] or 0) + 3 * 900)


async def test_registers_that_there_are_not_are_told() -> None:
    """The device answers with an exception, which is no number."""
    port = free_port()
    async with device(port, 0):
        with pytest.raises(SourceFailed, match=r"refuses its registers at 52 \(exception 2\)"):
            await gathered(polled(port, map="carlo-gavazzi-em340"))
        with pytest.raises(SourceFailed, match="refuses its registers at 72"):
            await gathered(polled(port, unit=9))


async def test_a_device_that_is_away_is_told() -> None:
    """The source fails, and is begun again by the core."""
    with pytest.raises(SourceFailed, match="away"):
        await gathered(polled(free_port()))


async def test_a_device_in_a_service(pool: Pool, serving: Serving) -> None:
    """`/health` warns while it is away, and it is read as soon as it is there."""
    port = free_port()
    table = {**DEVICE, "host": "127.0.0.1", "port": port, "period": 1, "timeout": 0.3}
    plugin = MeterModbus(structure({"devices": {"cellar": table}}, Settings))
    settings = Service(
        sources=Sources(lease=2, retry_first=0.05, retry_most=0.2), health=Health(period=0.05)
    )
    core = make_core(plugins=Plugins.of(meter_modbus=plugin), pool=pool, settings=settings)
    async with serving(core) as client:
        async with device(port, 0):
            await check(client, "pass", "modbus-cellar")
        await check(client, "warn", "modbus-cellar")
        async with device(port, 0):
            await check(client, "pass", "modbus-cellar")

    assert core.sources["modbus-cellar"].failures > 0


# Settings.


@pytest.mark.parametrize("name", bundled_maps())
def test_each_map_can_be_read(name: str) -> None:
    """It says which devices it is of."""
    found = register_map(name)

    assert found is not None
    assert found.about


def test_a_map_may_be_a_file(tmp_path: Path) -> None:
    """Another device needs no code."""
    path = tmp_path / "mine.toml"
    path.write_text('[registers.import]\naddress = 1\ntype = "uint32"\nunit = "Wh"\nscale = 0.1\n')

    found = register_map(str(path))

    assert found is not None
    assert found.registers["import"].scale == Decimal("0.1")


@pytest.mark.parametrize(
    ("table", "code", "pointer"),
    [
        ({**DEVICE, "map": "eastern"}, "unknown_map", "/devices/x/map"),
        ({**DEVICE, "map": "absent.toml"}, "unknown_map", "/devices/x/map"),
        ({**DEVICE, "channels": {"imports": "a"}}, "unknown_register", "/devices/x/channels"),
        ({**DEVICE, "tolerance": "PT15M"}, "out_of_range", "/devices/x/tolerance"),
        ({**DEVICE, "period": 0.5}, "out_of_range", "/devices/x/period"),
    ],
)
def test_settings_that_are_refused(table: dict[str, Any], code: str, pointer: str) -> None:
    """The service does not start with them, and says where they are."""
    with pytest.raises(Invalid) as refused:
        structure({"devices": {"x": table}}, Settings)

    assert [(one.code, one.pointer) for one in refused.value.faults] == [(code, pointer)]


def test_a_fault_is_told_once() -> None:
    """What is so with each poll would fill the problems of imports."""
    meter = Meter(structure(DEVICE, Device), {})
    items = [meter.read(at * 900, [("import", Unfit("no_scale", "none"))])[0] for at in range(3)]

    assert [len(each) for each in items] == [1, 0, 0]
    assert isinstance(items[0][0], Problem)
