"""The source: a device that is read again and again, at whole multiples of the clock."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from energia import (
    ACTUAL,
    QUALITIES,
    Emit,
    MeterRead,
    Problem,
    Reading,
    RegisterFault,
    SourceFailed,
    Unfit,
)
from energia.time import Instant, instant_of
from energia_plugins.meter_modbus import sunspec
from energia_plugins.meter_modbus.counters import Counter, Shown
from energia_plugins.meter_modbus.numbers import Table, hexadecimal, number_of, width
from energia_plugins.meter_modbus.settings import Device, RegisterMap, register_map

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

_DERIVED: Final = QUALITIES.index("derived")
#: Seconds after a multiple of the period, so that no clock is before it.
_AFTER: Final = 0.05


class ModbusDevice:
    """The counters of one device."""

    def __init__(self, name: str, device: Device, organization: int = 1) -> None:
        self.name = f"modbus-{name}"
        self.organization = organization
        self._device = device
        self._map = register_map(device.map)

    async def run(self, emit: Emit) -> None:
        """Read the counters, and store what they counted in each slot."""
        meter = Meter(self._device, emit.state)
        async with _connection(self._device) as client:
            registers = _Registers(client, self._device.unit, self._map)
            while True:
                shown = await registers.shown()
                emit.connected()
                items, state = meter.read(instant_of(emit.now()), shown)
                await emit(items, state=state)
                await asyncio.sleep(self._until_next(emit))

    def _until_next(self, emit: Emit) -> float:
        """Return the seconds until the device is read next."""
        period = self._device.period
        return period - emit.now().timestamp() % period + min(_AFTER, period / 10)


class Meter:
    """The counters of a device while it runs."""

    def __init__(self, device: Device, state: Mapping[str, Any]) -> None:
        self._device, self._state = device, state
        self._interval = int(device.interval.total_seconds())
        self._counters: dict[str, Counter] = {}
        self._told: set[tuple[str, str]] = set()

    def read(
        self, now: Instant, shown: Iterable[tuple[str, Shown | Unfit]]
    ) -> tuple[list[Reading | MeterRead | Problem], dict[str, Any]]:
        """Return what counters have counted, and the state of those that changed."""
        items: list[Reading | MeterRead | Problem] = []
        before = {channel: counter.state() for channel, counter in self._counters.items()}
        for line, (name, each) in enumerate(shown, start=1):
            channel = self._channel(name)
            try:
                item = None if channel is None else self._item(line, channel, now, each)
                items += [] if item is None else [item]
            except RegisterFault as fault:
                items.append(Problem(line, fault.code, f"{name}: {fault.message}"))
            except Unfit as fault:  # it will be so each time
                if (name, fault.code) not in self._told:
                    items.append(Problem(line, fault.code, f"{name}: {fault.message}"))
                self._told.add((name, fault.code))
        after = {channel: counter.state() for channel, counter in self._counters.items()}
        changed = {channel for channel in after if after[channel] != before.get(channel)}
        return items, {channel: after[channel] for channel in changed}

    def _channel(self, name: str) -> str | None:
        channels = self._device.channels
        return channels.get(name) if channels else name

    def _item(
        self, line: int, channel: str, now: Instant, shown: Shown | Unfit
    ) -> Reading | MeterRead | None:
        """Return what is stored of a counter, if a slot ends now; raises `Unfit`."""
        if isinstance(shown, Unfit):
            raise shown
        counter = self._counter(channel)
        if self._device.reads:
            with suppress(RegisterFault):  # a channel of kind `register` judges its reads itself
                counter.slot(now, shown)
            last, names = counter.last, (self._device.meter, channel, shown.unit)
            is_first = last is not None and last.instant == now
            return MeterRead(line, last.value, now, ACTUAL, *names) if last and is_first else None
        slot = counter.slot(now, shown)
        if slot is None:
            return None
        start, used = slot
        end, meter = start + self._interval, self._device.meter
        return Reading(line, used, start, end, _DERIVED, meter, channel, shown.unit)

    def _counter(self, channel: str) -> Counter:
        """Return a counter, which goes on from the state."""
        if channel not in self._counters:
            tolerance = int(self._device.tolerance.total_seconds())
            saved = self._state.get(channel)
            self._counters[channel] = Counter(self._interval, tolerance, saved)
        return self._counters[channel]


class _Registers:
    """The registers of a device that is connected."""

    def __init__(self, client: "AsyncModbusTcpClient", unit: int, map_: RegisterMap | None) -> None:
        self._client, self._unit, self._map = client, unit, map_
        self._models: list[sunspec.Found] | None = None
        self._refusal = 0

    async def shown(self) -> Iterable[tuple[str, Shown | Unfit]]:
        """Return what counters show, by name, or why one cannot be read."""
        if self._map is None:
            return await self._described()
        return [item async for item in self._mapped(self._map)]

    async def _described(self) -> Iterable[tuple[str, Shown | Unfit]]:
        if self._models is None:
            self._models = await sunspec.models(self._held)
        return await sunspec.shown(self._held, self._models)

    async def _mapped(self, map_: RegisterMap) -> AsyncIterator[tuple[str, Shown | Unfit]]:
        for name, entry in map_.registers.items():
            words = await self._read(map_.table, entry.address, width(entry.type))
            if words is None:
                text = f"the device refuses its registers at {entry.address}"
                raise SourceFailed(f"{text} (exception {self._refusal})")
            number = number_of(words, entry.type, map_.word_order)
            if number is not None and hexadecimal(words) != (entry.missing or "").upper():
                yield name, Shown(number, entry.type, entry.scale, entry.unit)

    async def _held(self, address: int, count: int) -> Sequence[int] | None:
        return await self._read("holding", address, count)

    async def _read(self, table: Table, address: int, count: int) -> Sequence[int] | None:
        """Return registers; None where the device refuses them; raises `SourceFailed`."""
        from pymodbus import ModbusException
        from pymodbus.pdu import ExceptionResponse

        client = self._client
        if not client.connected:
            raise SourceFailed("the device has ended the connection")
        read = client.read_holding_registers if table == "holding" else client.read_input_registers
        try:
            answer = await read(address, count=count, device_id=self._unit)
        except ModbusException as error:
            raise SourceFailed(f"the device does not answer: {error}") from error
        if isinstance(answer, ExceptionResponse):
            self._refusal = answer.exception_code
            return None
        if answer.isError() or len(answer.registers) != count:
            raise SourceFailed(f"the device does not answer what it is asked: {answer}")
        return answer.registers


@asynccontextmanager
async def _connection(device: Device) -> "AsyncIterator[AsyncModbusTcpClient]":
    """Give a connection; raises `SourceFailed`."""
    from pymodbus.client import AsyncModbusTcpClient

    client = AsyncModbusTcpClient(
        device.host, port=device.port, timeout=device.timeout, retries=1, reconnect_delay=0
    )
    try:
        if not await client.connect():
            raise SourceFailed("the device is away")
        yield client
    finally:
        client.close()
