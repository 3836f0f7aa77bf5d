"""Open unions and registered types, read and written."""

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Protocol

import attrs
from hypothesis import given
from hypothesis import strategies as st

from energia import convert
from energia.convert import Converter
from tests.core.convert.converting import Band, Fuel, Offer, refused


class Charge(Protocol):
    """An open union."""

    def amount(self) -> Decimal:
        """Return what it costs."""
        ...


@attrs.frozen
class Flat(Charge):
    """One rate."""

    rate: Decimal

    def amount(self) -> Decimal:
        """Return what it costs."""
        return self.rate


@attrs.frozen
class Version:
    """Holds charges."""

    charges: tuple[Charge, ...]


def charging() -> Converter:
    """Return a converter that knows one kind of charge."""
    converter = Converter()
    converter.register_union(Charge, {"flat": Flat})
    return converter


def test_union_by_kind() -> None:
    """Members of a registered union are told apart by their kind, both ways."""
    converter = charging()
    version = converter.structure({"charges": [{"kind": "flat", "rate": "0.30"}]}, Version)

    assert version == Version((Flat(Decimal("0.30")),))
    assert json.loads(converter.dumps(version)) == {"charges": [{"kind": "flat", "rate": "0.30"}]}


def test_union_faults() -> None:
    """An unknown or missing kind is a fault of the field `kind`; others are the member's own."""
    charges = [{"kind": "solar"}, {}, {"kind": "flat", "rate": "x", "to": 1}, 5, {"kind": []}]

    assert refused({"charges": charges}, Version, charging()) == {
        "/charges/0/kind": "unknown_kind",
        "/charges/1/kind": "missing_field",
        "/charges/2/rate": "wrong_type",
        "/charges/2/to": "unknown_field",
        "/charges/3": "wrong_type",
        "/charges/4/kind": "unknown_kind",
    }


def test_registered_type() -> None:
    """A type may be read and written by functions."""
    converter = Converter()
    converter.register(complex, lambda value: complex(str(value)), str)

    assert converter.structure("1j", complex) == 1j
    assert converter.unstructure([1j]) == ["1j"]
    assert refused("x", complex, converter) == {"": "invalid"}


def test_writes() -> None:
    """Decimals are plain strings, fields that are None by default are left out."""
    offer = Offer("a", (Band(Decimal("1E-7")),), date(2026, 3, 1))
    instant = datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=-3)))

    assert convert.unstructure(offer) == {
        "id": "a",
        "bands": [{"price": "0.0000001", "hours": 24, "from": 0}],
        "since": "2026-03-01",
        "labels": {},
    }
    assert convert.dumps([timedelta(minutes=90), instant, Fuel.GAS]) == (
        b'["PT1H30M","2026-03-01T00:00:00-03:00","gas"]'
    )


@given(st.timedeltas(timedelta(0), timedelta(days=9999)))
def test_durations_round_trip(duration: timedelta) -> None:
    """A duration is read as it was written."""
    assert convert.structure(convert.unstructure(duration), timedelta) == duration


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=9
    )
)
def test_decimals_lose_nothing(number: Decimal) -> None:
    """A decimal is exact both ways, from its text and from a JSON number."""
    as_number = convert.parse(format(number, "f").encode())

    assert convert.structure(convert.unstructure(number), Decimal) == number
    assert convert.structure(as_number, Decimal) == number
