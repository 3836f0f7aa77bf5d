"""The credits of distributed generation that a unit has, lot by lot, oldest first.

{"month": "2026-03",
 "ledger": [{"month": "2026-01", "posto": "ponta", "kwh": "12.5", "type": "gd2",
             "from": "usina", "expires": "2031-01"}],
 "last": {"carried_in": "0", "earned": "12.5", ..., "carried_out": "12.5"}}
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, Literal, Self, TypeAlias, cast, get_args

import attrs

from energia import Invalid
from energia.pricing.dates import as_month, later_month
from energia.pricing.exact import as_exact, exact_sum, exact_text

__all__ = ["OWN", "Account", "GenerationType", "Kept", "Lot"]

GenerationType: TypeAlias = Literal["gd1", "gd2", "gd3"]

#: What a lot is from that the unit injected itself.
OWN: Final = None

_MOVES: Final = ("earned", "used", "expired", "given")
_KEYS: Final = {"month", "posto", "kwh", "type", "from", "expires"}


@attrs.frozen
class Lot:
    """Energy that was injected in one month.

    Attributes:
        month: The month of the bill in whose cycle it was injected, `2026-03`.
        kwh: How much is left.
        type: What the plant that injected it pays.
        posto: The posto in which it was injected; None where there are none.
        unit: The unit that injected it; None is the unit that is billed.
        expires: The last month whose bill may use it.

    """

    month: str
    kwh: Fraction
    type: GenerationType
    posto: str | None = None
    unit: str | None = OWN
    expires: str | None = None

    def json(self) -> dict[str, str]:
        """Return the lot as the state has it."""
        optional = {"posto": self.posto, "from": self.unit, "expires": self.expires}
        return {
            "month": self.month,
            "kwh": exact_text(self.kwh),
            "type": self.type,
            **{name: value for name, value in optional.items() if value is not None},
        }


@attrs.define
class Account:
    """Where energy of a bill came from and went: in + earned = used + expired + given + out."""

    carried_in: Fraction = Fraction(0)
    earned: Fraction = Fraction(0)
    used: Fraction = Fraction(0)
    expired: Fraction = Fraction(0)
    given: Fraction = Fraction(0)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Return what a state says; what it does not say is nothing."""
        names = ("carried_in", *_MOVES)
        return cls(**{name: as_exact(given[name]) for name in names if name in given})

    @property
    def carried_out(self) -> Fraction:
        """What is left for the next bill."""
        return self.carried_in + self.earned - self.used - self.expired - self.given

    def and_then(self, later: Self) -> Self:
        """Return the account of this part of a bill and of the one after it."""
        sums = {name: getattr(self, name) + getattr(later, name) for name in _MOVES}
        return attrs.evolve(self, **sums)

    def json(self) -> dict[str, str]:
        """Return the account as the state has it."""
        names = [field.name for field in attrs.fields(type(self))]
        return {name: exact_text(getattr(self, name)) for name in [*names, "carried_out"]}


@attrs.frozen
class Kept:
    """What the bill before has left.

    Attributes:
        month: The month of that bill; None if there was none.
        lots: Its lots, oldest first.
        arrived: The month whose credits of other units are among them already, where another
            version of the tariff has an earlier part of this bill.
        last: The account of that bill, or of that part.

    """

    month: str | None = None
    lots: Sequence[Lot] = ()
    arrived: str | None = None
    last: Account | None = None

    @classmethod
    def read(cls, state: Mapping[str, Any], type_: GenerationType, months: int) -> Self:
        """Return what a state says; raises `Invalid`, for a person may have sent it.

        Args:
            state: The state.
            type_: What a lot is of that does not say it.
            months: For how many months a lot is valid that does not say it.

        """
        try:
            lots = [_lot(lot, type_, months) for lot in state.get("ledger", [])]
            month, arrived = (
                as_month(state[name]) if name in state else None for name in ("month", "arrived")
            )
            last = Account.read(state["last"]) if "last" in state else None
        except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            message = (
                "the state of brazil.scee is {month, ledger: [{month, kwh, type?, posto?, from?, "
                f"expires?}}]}}, months such as 2026-03 and numbers as strings: {error}"
            )
            raise Invalid.of("bad_state", message, "/state") from error
        return cls(month, sorted(lots, key=lambda lot: lot.month), arrived, last)


def total(lots: Iterable[Lot]) -> Fraction:
    """Return how much energy lots are."""
    return exact_sum(lot.kwh for lot in lots)


def merged(lots: Iterable[Lot]) -> list[Lot]:
    """Return *lots*, of which those that differ in nothing but their energy are one."""
    sums: dict[Lot, Fraction] = {}
    for lot in lots:
        key = attrs.evolve(lot, kwh=Fraction(0))
        sums[key] = sums.get(key, Fraction(0)) + lot.kwh
    return [attrs.evolve(lot, kwh=kwh) for lot, kwh in sums.items() if kwh]


def _lot(given: Mapping[str, Any], type_: GenerationType, months: int) -> Lot:
    if unknown := set(given) - _KEYS:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    month, kind = as_month(given["month"]), given.get("type", type_)
    if kind not in get_args(GenerationType):
        raise ValueError(f"{str(kind)[:20]!r} is not gd1, gd2 or gd3")
    posto, unit = (_text(given.get(name)) for name in ("posto", "from"))
    expires = as_month(given["expires"]) if "expires" in given else later_month(month, months)
    return Lot(month, as_exact(given["kwh"]), cast("GenerationType", kind), posto, unit, expires)


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("posto and from must be strings")
    return value
