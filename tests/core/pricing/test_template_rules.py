"""Parameters in charges of plugins: any field, any type, and rules over several fields."""

from collections.abc import Iterator
from typing import Any, ClassVar

import attrs
import pytest

from energia.convert.structures import Rules
from energia.errors import Fault, Invalid
from energia.pricing.charges import BaseCharge, BillSoFar, Line, Measure, Measured
from energia.pricing.tariffs import Tariff, tariff_converter
from tests.core.pricing.documents import document, faults


def _fits(table: object, factor: int) -> Iterator[Fault]:
    """Refuse a table that is too short for the factor."""
    if not isinstance(table, list) or len(table) < factor:
        yield Fault("too_short_for_it", "the table is too short", "/table")


@attrs.frozen
class Acme(BaseCharge):
    """A plugin's charge: one field takes any JSON, and a rule wants it to be a list."""

    __rules__: ClassVar[Rules] = (_fits,)

    kind: ClassVar[str] = "acme"
    table: object
    factor: int

    def measures(self) -> dict[str, Measure]:
        """Measure nothing."""
        return {}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge the factor."""
        yield self.line(amount=self.factor)


@pytest.mark.parametrize(
    ("fields", "parameters", "expected"),
    [
        ({"table": {"parameter": "t"}, "factor": 1}, {"t": [7]}, {}),
        (
            {"table": {"parameter": "t"}, "factor": 1},
            {"t": 7},
            {"/parameters/t": "too_short_for_it"},
        ),
        (
            {"table": [7], "factor": {"parameter": "f"}},
            {"f": 2},
            {"/parameters/f": "too_short_for_it"},
        ),
        (
            {"table": {"parameter": "t"}, "factor": {"parameter": "f", "default": 2}},
            {"t": [7]},
            {"/parameters/t": "too_short_for_it"},
        ),
    ],
)
def test_rules_of_a_plugin_wait_for_the_values(
    fields: dict[str, Any], parameters: dict[str, object], expected: dict[str, str]
) -> None:
    """A rule over several fields runs once all of them are known, whatever their types."""
    converter = tariff_converter({"acme": Acme})
    read_one = converter.structure(document([{"kind": "acme", **fields}]), Tariff)

    if not expected:
        assert not read_one.filled(parameters).parameters
    else:
        assert faults(lambda: read_one.filled(parameters)) == expected


def test_one_parameter_may_be_several_fields() -> None:
    """Its faults are told once for each field."""
    converter = tariff_converter({"acme": Acme})
    both = {"kind": "acme", "table": {"parameter": "x"}, "factor": {"parameter": "x"}}
    read_one = converter.structure(document([both]), Tariff)

    with pytest.raises(Invalid) as refused:
        read_one.filled({"x": "y"})

    assert {(one.pointer, one.code) for one in refused.value.faults} == {
        ("/parameters/x", "wrong_type")
    }
