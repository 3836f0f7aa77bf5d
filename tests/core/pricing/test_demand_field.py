"""The billing demand as a field of a charge, as tiers by the hours of use have it."""

from collections.abc import Iterator
from typing import Any, ClassVar

import attrs

from energia import BaseCharge, BillingDemand, BillSoFar, Line, Measure, Measured, State
from energia.pricing.engine import price
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Terms
from tests.core.pricing.documents import document, faults, series


@attrs.frozen
class ByDemand(BaseCharge):
    """One unit of money for each unit of demand."""

    kind: ClassVar[str] = "by_demand"
    demand: BillingDemand

    def measures(self) -> dict[str, Measure]:
        """Measure what the demand needs."""
        return self.demand.measures(self.channel)

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge the highest."""
        demands = self.demand.billed(measured, bill.state)
        if demands.highest is not None:
            yield self.line(demands.highest.value, 1, self.demand.unit)
        yield State(demands.state)


EVENING = {"period": "peak", "days": ["weekday"], "from": "18:00", "to": "21:00"}
#: A Monday in hours, in kWh.
MONDAY = series("2026-03-02T00:00:00Z", 3600, [10**6] * 12 + [9 * 10**6] + [2 * 10**6] * 11)


def read(demand: dict[str, Any]) -> Tariff:
    """Return a tariff of one charge."""
    converter = tariff_converter({"by_demand": ByDemand})
    return converter.structure(document([{"kind": "by_demand", "demand": demand}]), Tariff)


def total(demand: dict[str, Any], state: dict[str, Any] | None = None) -> str:
    """Price the Monday."""
    terms = Terms(state={"by_demand": state or {}})
    tariff = read({"interval": "PT1H", **demand})
    return price(tariff, {"import": MONDAY}, MONDAY.start, MONDAY.end, terms).total


def test_the_highest_of_all_periods_is_billed() -> None:
    """9 kW at noon, 2 kW in the evening."""
    schedule = {"default": "rest", "rules": [EVENING]}

    assert total({}) == "9.00"
    assert total({"schedule": schedule}) == "9.00"
    assert total({"schedule": schedule, "periods": ["peak"]}) == "2.00"


def test_it_looks_back() -> None:
    """Half of 30 kW in February."""
    state = {"peaks": {"2026-02": "30"}}

    assert total({"ratchet": {"percent": "50"}}, state) == "15.00"


def test_a_schedule_with_a_gap_is_refused_when_it_is_saved() -> None:
    """As one of a charge itself is."""
    schedule = {"rules": [{"period": "peak", "to": "23:00"}]}

    found = faults(lambda: read({"schedule": schedule, "periods": ["peak"]}))

    assert found == {"/versions/0/charges/0/demand/schedule": "incomplete_schedule"}


def test_periods_that_no_rule_gives_are_refused() -> None:
    """A name that was spelt wrong would never count."""
    schedule = {"default": "rest", "rules": [EVENING]}

    found = faults(lambda: read({"schedule": schedule, "periods": ["paek"]}))

    assert found == {"/versions/0/charges/0/demand/periods/0": "unknown_period"}
