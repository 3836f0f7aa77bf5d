"""`[plugins.meter-modbus]`: devices, and the maps of their registers."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, ClassVar, Final

import attrs
from msgspec import Meta

from energia import Fault, Id, Invalid, Rules, SlotLength, UnitName, enforce, structure
from energia_plugins.meter_modbus.numbers import NumberType, Table, WordOrder

#: The map of devices that describe themselves.
SUNSPEC: Final = "sunspec"
Positive = Annotated[float, Meta(gt=0)]


@attrs.frozen(kw_only=True)
class RegisterEntry:
    """A counter of a device.

    Attributes:
        address: The address of its first register, counted from 0, as it is sent.
        type: What its registers are.
        unit: What it counts.
        scale: How much of the unit a one is.
        missing: What stands there while there is no value, as hexadecimal digits.

    """

    address: Annotated[int, Meta(ge=0, le=65_535)]
    type: NumberType
    unit: UnitName
    scale: Decimal = Decimal(1)
    missing: (
        Annotated[
            str,
            Meta(
                pattern=r"^([0-9A-Fa-f]{4}){1,4}$",
                extra={"words": "4, 8, 12 or 16 hexadecimal digits"},
            ),
        ]
        | None
    ) = None


@attrs.frozen(kw_only=True)
class RegisterMap:
    """The counters of a kind of device.

    Attributes:
        about: Which devices it is of.
        table: Whether they are holding registers (function 3) or input registers (function 4).
        word_order: Which register of a number comes first: `big` is the one that counts most.
        registers: The counters, by names that are channels, unless the device says otherwise.

    """

    about: str = ""
    table: Table = "holding"
    word_order: WordOrder = "big"
    registers: Annotated[dict[Id, RegisterEntry], Meta(min_length=1)]


def _map_is_there(map: str) -> Iterator[Fault]:
    try:
        register_map(map)
    except (OSError, ValueError, Invalid) as error:
        detail = error.detail if isinstance(error, Invalid) else str(error)
        yield Fault("unknown_map", f"{map!r}: {detail}", "/map")


def _channels_are_of_map(map: str, channels: dict[str, Id]) -> Iterator[Fault]:
    known = _names_of(map)
    for name in channels:
        if known and name not in known:
            text = f"the map has no {name!r}, but {', '.join(known)}"
            yield Fault("unknown_register", text, "/channels")


def _tolerance_is_shorter(interval: timedelta, tolerance: timedelta) -> Iterator[Fault]:
    if tolerance >= interval:
        yield Fault("out_of_range", "the `tolerance` is not below the `interval`", "/tolerance")


@attrs.frozen(kw_only=True)
class Device:
    """A device that is polled. Times are in seconds.

    Attributes:
        host: Where it is.
        port: Its port.
        unit: Its number behind that: of a device behind a gateway, say.
        map: The map of its registers: a name that is bundled, a file (`.toml`), or `sunspec`.
        meter: The meter that it is.
        channels: Our channels by the names in the map; those that are not named are left out.
            Without any, each name is a channel.
        period: How often it is read, at whole multiples of the clock.
        timeout: How long it may take to answer.
        reads: Whether what counters show is stored, for channels of kind `register`; else what they
            counted in each slot is.
        interval: How long slots are: the channel's; of reads one is stored for each.
        tolerance: How long after the end of a slot a counter may be read; the first read counts.

    """

    __rules__: ClassVar[Rules] = (_map_is_there, _channels_are_of_map, _tolerance_is_shorter)

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 502
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    map: Annotated[str, Meta(min_length=1, max_length=500)]
    meter: Id
    channels: dict[str, Id] = attrs.field(factory=dict)
    period: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    timeout: Positive = 3.0
    reads: bool = False
    interval: SlotLength = timedelta(minutes=15)
    tolerance: timedelta = timedelta(minutes=2)

    def __attrs_post_init__(self) -> None:
        """Refuse what does not go together."""
        enforce(self)


@attrs.frozen(kw_only=True)
class Settings:
    """Which devices are polled.

    Attributes:
        organization: The key of the organization that the meters are of.
        devices: The devices, by names of your own; each is a source, `modbus-<name>`.

    """

    organization: Annotated[int, Meta(ge=1)] = 1
    devices: dict[Id, Device] = attrs.field(factory=dict)


@cache
def bundled_maps() -> Mapping[str, str]:
    """Return the maps that are bundled, one small file of data each, by name."""
    folder = files(__package__) / "maps"
    found = sorted(each.name for each in folder.iterdir() if each.name.endswith(".toml"))
    return {
        name.removesuffix(".toml"): (folder / name).read_text(encoding="utf-8") for name in found
    }


def register_map(name: str) -> RegisterMap | None:
    """Return a map by its name or the path of its file; None for `sunspec`.

    Raises:
        ValueError: There is none, or it is not TOML.
        OSError: The file cannot be read.
        Invalid: It is no map.

    """
    if name == SUNSPEC:
        return None
    text = bundled_maps().get(name)
    if text is None:
        if not name.endswith(".toml"):
            known = ", ".join((SUNSPEC, *bundled_maps()))
            raise ValueError(f"known are {known}, or the path of a file (.toml)")
        text = Path(name).read_text(encoding="utf-8")
    return structure(tomllib.loads(text, parse_float=Decimal), RegisterMap)


def _names_of(name: str) -> tuple[str, ...]:
    """Return the names of a map; none where they are not known beforehand, or it is not there."""
    try:
        found = register_map(name)
    except (OSError, ValueError, Invalid):
        return ()
    return () if found is None else tuple(found.registers)
