"""Devices that describe themselves: the models of SunSpec that count energy.

A chain of models, each with its number and its length, follows the letters `SunS` at one of three
addresses (SunSpec Device Information Model Specification, 1.1). Inverters count what they generate
(models 101 to 103, and 111 to 113 with floats), meters what came and went (201 to 204, 211 to 214).
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import attrs

from energia import SourceFailed, Unfit
from energia_plugins.meter_modbus.counters import Shown
from energia_plugins.meter_modbus.numbers import number_of

#: Reads so many holding registers from an address; None where the device refuses it.
Read = Callable[[int, int], Awaitable[Sequence[int] | None]]
_BASES: Final = (40_000, 0, 50_000)
_SUNS: Final = (0x5375, 0x6E53)
_END: Final = 0xFFFF
#: No device has more models.
_MOST: Final = 200


@attrs.frozen
class Model:
    """Where a model has its counters, from its number on.

    Attributes:
        counters: The places of the counters, by name.
        scale: The place of the power of ten that they are multiplied by; None for floats.

    """

    counters: dict[str, int]
    scale: int | None = None

    @property
    def length(self) -> int:
        """How many registers hold all of them."""
        return max(*self.counters.values(), self.scale or 0) + 2


_INVERTER: Final = Model({"generation": 24}, 26)
_INVERTER_FLOAT: Final = Model({"generation": 32})
_METER: Final = Model({"export": 38, "import": 46}, 54)
_METER_FLOAT: Final = Model({"export": 60, "import": 68})
_MODELS: Final = {
    **dict.fromkeys((101, 102, 103), _INVERTER),
    **dict.fromkeys((111, 112, 113), _INVERTER_FLOAT),
    **dict.fromkeys((201, 202, 203, 204), _METER),
    **dict.fromkeys((211, 212, 213, 214), _METER_FLOAT),
}


@attrs.frozen
class Found:
    """A model of a device.

    Attributes:
        address: Where it begins.
        model: What it is.
        suffix: What follows the names of its counters, where the device has several such models.

    """

    address: int
    model: Model
    suffix: str


async def models(read: Read) -> list[Found]:
    """Return the models of a device that count energy; raises `SourceFailed` if there are none."""
    for base in _BASES:
        if await read(base, 2) == list(_SUNS):
            found = await _chain(read, base + 2)
            if not found:
                raise SourceFailed("the device has no model that counts energy")
            return found
    raise SourceFailed("the device is none of SunSpec")


async def _chain(read: Read, address: int) -> list[Found]:
    found: list[Found] = []
    for _ in range(_MOST):
        head = await read(address, 2)
        if head is None or head[0] == _END:
            break
        number, length = head
        if (model := _MODELS.get(number)) is not None:
            names = set(model.counters)
            before = sum(bool(names & set(one.model.counters)) for one in found)
            found.append(Found(address, model, f".{before + 1}" if before else ""))
        address += 2 + length
    return found


async def shown(read: Read, found: Sequence[Found]) -> list[tuple[str, Shown | Unfit]]:
    """Return what the counters of a device show, by name, or why one cannot be read.

    Those that it lacks are left out. Raises `SourceFailed` where the device refuses to tell.
    """
    counters: list[tuple[str, Shown | Unfit]] = []
    for one in found:
        registers = await read(one.address, one.model.length)
        if registers is None:
            raise SourceFailed(f"the device refuses its registers at {one.address}")
        counters += ((name + one.suffix, each) for name, each in _of(one.model, registers))
    return counters


def _of(model: Model, registers: Sequence[int]) -> Iterator[tuple[str, Shown | Unfit]]:
    """Yield the counters of a model; 0 is what a device shows that does not count."""
    for name, place in model.counters.items():
        words = registers[place : place + 2]
        number = number_of(words, "uint32" if model.scale is not None else "float32")
        if not number:
            continue
        if model.scale is None:
            yield name, Shown(number, "float32", Decimal(1), "Wh")
            continue
        power = number_of(registers[model.scale : model.scale + 1], "int16")
        if power is None or not -10 <= power <= 10:
            yield name, Unfit("no_scale", "it has no power of ten")
            continue
        yield name, Shown(number, "uint32", Decimal(1).scaleb(int(power)), "Wh")
