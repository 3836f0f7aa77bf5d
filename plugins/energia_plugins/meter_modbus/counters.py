"""Counters that are polled: what they show, across the number at which they begin anew."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from energia import Register, RegisterRead
from energia.time import Instant
from energia_plugins.meter_modbus.numbers import NumberType, modulus

#: A counter that falls has begun anew at its largest number if it counted less than this part of
#: it meanwhile; else it was reset, or is another one.
_NEAR: Final = 1000


@attrs.frozen
class Shown:
    """What a counter shows.

    Attributes:
        number: The number in its registers.
        type: What they are.
        scale: How much of the unit a one is.
        unit: What it counts.

    """

    number: Decimal
    type: NumberType
    scale: Decimal
    unit: str


class Counter:
    """One counter of a device, in order of time."""

    def __init__(self, interval: int, tolerance: int, saved: Mapping[str, Any] | None) -> None:
        """Go on from what was *saved*, if it was of slots of the same length."""
        is_usable = saved is not None and saved["interval"] == interval
        self._saved = saved if saved is not None and is_usable else {}
        self._interval = interval
        self._register = Register.of(interval, tolerance, self._saved.get("register"))
        self._turns: int = self._saved.get("turns", 0)

    @property
    def last(self) -> RegisterRead | None:
        """The last read that ended a slot: the first one after its end."""
        state = self._register.state()
        return RegisterRead(state["instant"], Decimal(state["value"])) if state else None

    def slot(self, instant: Instant, shown: Shown) -> tuple[Instant, Decimal] | None:
        """Return when the slot before a read starts, and what was used in it; or None.

        Raises:
            RegisterFault: It went back, was reset or is another one; it counts anew from here.

        """
        if not self._register.ends_slot(instant):
            return None
        of = f"{shown.type} {shown.unit} {shown.scale.normalize()}"
        self._turn(shown, of)
        value = shown.number + self._turns * (modulus(shown.type) or 0)
        try:
            return self._register.slot(RegisterRead(instant, value * shown.scale, of))
        finally:
            self._saved = {"number": str(shown.number), "of": of}

    def _turn(self, shown: Shown, of: str) -> None:
        """Note whether the counter has begun anew at its largest number."""
        largest = modulus(shown.type)
        if largest is None or self._saved.get("of") != of:
            return
        counted = shown.number - Decimal(self._saved["number"])
        if counted < 0 and counted + largest < largest // _NEAR:
            self._turns += 1

    def state(self) -> dict[str, Any]:
        """Return what it counts from, as JSON has it."""
        register = self._register.state()
        return {
            **self._saved,
            "interval": self._interval,
            "turns": self._turns,
            "register": register,
        }
