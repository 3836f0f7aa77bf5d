"""What a price may come to: work, lines, and what is estimated."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import attrs
import pytest

from energia.costing.budget import units
from energia.costing.groups import bill_periods
from energia.costing.inputs import Plan
from energia.db.pool import Pool
from energia.errors import TooLarge
from energia.plugins import Plugins
from energia.pricing.allowance import Allowance, lines_of
from energia.pricing.engine import price
from energia.pricing.usage import Terms
from energia.settings import Limits, Settings
from energia_plugins import tariff_flat, tariff_percent, tariff_time_of_use
from tests.core.pricing.asking import answer_of
from tests.core.pricing.documents import document, instant, series, tariff
from tests.serving import Client, Serving, make_core

FLAT = {"kind": "energy.flat", "rate": "0.10"}
EACH = {"kind": "percent", "percent": "1", "form": "line_each"}
START, DAY = "2025-01-01T00:00:00Z", 86_400
#: One reading of an hour.
USAGE = {
    "timezone": "UTC",
    "interval": "PT1H",
    "channels": {"import": {"start": START, "values": [1]}},
}
PLUGINS = Plugins.of(flat=tariff_flat, percent=tariff_percent, tou=tariff_time_of_use)


def flats(number: int) -> list[dict[str, Any]]:
    """Return so many flat charges."""
    return [{**FLAT, "code": f"c{index}"} for index in range(number)]


def doubling(times: int) -> list[Mapping[str, Any]]:
    """Return charges whose lines double so many times."""
    return [FLAT, *({**EACH, "code": f"p{index}"} for index in range(times))]


@pytest.fixture(name="api")
async def _api(serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service without a database."""
    async with serving(make_core(plugins=PLUGINS)) as client:
        yield client


async def cost(api: Client, charges: Any, **asked: Any) -> tuple[int, dict[str, Any]]:
    """Ask what the usage costs."""
    body = {"usage": USAGE, "tariff": document(charges), **asked}
    return await answer_of(api, "POST", "/v1/costs", body)


def plan_of(charges: Any, days: int, interval: int = 900) -> Plan:
    """Return the plan of so many days from 2025 on."""
    begin = instant(START)
    usage = {"import": series(begin, interval, [1] * (days * DAY // interval))}
    return Plan((tariff(charges),), begin, begin + days * DAY, usage=usage)


def cost_of(plan: Plan, group: str) -> int:
    """Return the units of a plan in groups."""
    return units(plan, bill_periods(plan.tariff.zone, plan.start, plan.end, group))


def test_work_grows_with_charges_periods_and_slots() -> None:
    """A flat charge for a bill period is a unit, a bill period two, a thousand slots one."""
    assert cost_of(plan_of(flats(1), 10), "whole") == 3
    assert cost_of(plan_of(flats(1), 10), "P1D") == 30
    assert cost_of(plan_of(flats(5), 10), "P1D") == 70 + 4
    assert cost_of(plan_of(flats(1), 1000), "whole") == 3 + 96


def test_the_default_admits_a_year_by_days_under_a_complex_tariff() -> None:
    """A hundred flat charges, or thirty and a dozen schedules, in quarter-hours."""
    (example, *_) = tariff_time_of_use.TimeOfUse.examples
    scheduled = [{**example, "code": f"t{index}"} for index in range(12)]

    assert cost_of(plan_of(flats(100), 366), "P1D") < Limits().pricing
    assert cost_of(plan_of([*flats(30), *scheduled], 366), "P1D") < Limits().pricing


async def test_a_price_beyond_the_budget_is_refused_before_it_is_made(api: Client) -> None:
    """5.9 KB that would take half a minute: the limit, what was asked, how to ask for less."""
    window = {"start": "2010-01-01", "end": "2020-12-01", "group": "P1D", "missing": "zero"}
    status, found = await cost(api, flats(100), **window)

    assert status == 413
    assert "416242 units of work, more than limits.pricing (60000)" in found["detail"]
    assert "3987 bill periods" in found["detail"]
    assert "fewer or longer bill periods (`group`)" in found["detail"]


async def test_a_comparison_is_within_the_budget_too(api: Client) -> None:
    """All its tariffs together, by the months that it is priced by."""
    body = {"usage": USAGE, "start": "1990-01-01", "end": "2020-01-01", "missing": "zero"}
    status, found = await answer_of(
        api, "POST", "/v1/costs/compare", {**body, "tariffs": [document(flats(2))] * 50}
    )

    assert status == 413
    assert "under 50 tariffs takes" in found["detail"]


async def test_a_window_far_beyond_the_readings_is_refused(api: Client) -> None:
    """Slots that are filled in count as those that were sent."""
    usage = {**USAGE, "interval": "PT1M"}
    window = {"start": "2000-01-01", "end": "2020-01-01", "missing": "zero"}
    status, found = await cost(api, [FLAT], usage=usage, **window)

    assert status == 413
    assert "limits.slots" in found["detail"]


def test_lines_beside_lines_are_counted_from_the_document() -> None:
    """Each charge that makes a line for each of those before doubles them."""
    assert lines_of(tariff(doubling(4)).versions[0].charges) == [1, 1, 2, 4, 8]
    some = {**EACH, "of": {"charges": ["energy.flat"]}}
    charges: list[Mapping[str, Any]] = [FLAT, {**some, "code": "a"}, {**some, "code": "b"}]
    assert lines_of(tariff(charges).versions[0].charges) == [1, 1, 1]


async def test_a_tariff_with_too_many_lines_is_not_priced(api: Client) -> None:
    """1.8 KB that would have 262,144 lines; the fault points to the charge."""
    status, found = await cost(api, doubling(18))

    assert status == 422
    (fault,) = found["errors"]
    assert fault["code"] == "too_many_lines"
    assert fault["pointer"] == "/tariff/versions/0/charges/13"
    assert "limits.lines (5000)" in fault["message"]


async def test_a_tariff_with_too_many_lines_is_not_saved(pool: Pool, serving: Serving) -> None:
    """So that no run stalls on it."""
    async with serving(make_core(plugins=PLUGINS, pool=pool)) as client:
        for method, path in (("PUT", "/v1/tariffs/many"), ("POST", "/v1/tariffs")):
            status, found = await answer_of(client, method, path, document(doubling(18)))
            assert status == 422
            assert found["errors"][0]["pointer"] == "/versions/0/charges/13"


def test_lines_are_counted_while_they_are_made() -> None:
    """What no document tells is stopped early, at the charge that goes too far."""
    # Lines of one period: whether there are any depends on what is used.
    some = {**EACH, "of": {"without_tags": ["x"]}}
    charges: list[Mapping[str, Any]] = [
        FLAT,
        *({**some, "code": f"p{index}"} for index in range(6)),
    ]
    allowance = Allowance(lines=20)

    with pytest.raises(TooLarge, match=r"'p5'.*limits\.lines \(20\)|'p4'.*limits\.lines \(20\)"):
        price(
            tariff(charges),
            {"import": series(START, 3600, [1000])},
            instant(START),
            instant(START) + 3600,
            Terms(allowance=allowance),
        )
    assert allowance.taken < 2 * 21 + 20


def test_lines_of_all_bill_periods_are_one_budget() -> None:
    """A bill may have so many lines, all of them together so many."""
    allowance = Allowance(lines=1, work=2)
    terms = Terms(allowance=allowance)
    usage = {"import": series(START, 3600, [1000])}
    window = (instant(START), instant(START) + 3600)

    for _ in range(2):
        price(tariff([FLAT]), usage, *window, terms)
    with pytest.raises(TooLarge, match=r"limits\.pricing \(2\)"):
        price(tariff([FLAT]), usage, *window, terms)


async def test_at_most_a_share_is_estimated(api: Client) -> None:
    """A year from one reading is refused, by the name of the limit; half a day is estimated."""
    window = {"start": "2025-01-01", "missing": "estimate"}
    status, found = await cost(api, [FLAT], end="2026-01-01", **window)
    usage = {**USAGE, "channels": {"import": {"start": START, "values": [1] * 12}}}
    half, _ = await cost(api, [FLAT], usage=usage, end="2025-01-02", **window)

    assert (status, found["code"], half) == (422, "incomplete_usage", 200)
    (fault,) = found["errors"]
    assert fault["code"] == "too_much_missing"
    assert fault["pointer"] == "/usage/channels/import/values"
    assert "8759 of 8760 slots" in fault["message"]
    assert "limits.estimate_share (0.5)" in fault["message"]


async def test_the_share_is_a_setting(serving: Serving) -> None:
    """With 1 as much is estimated as is missing."""
    settings = attrs.evolve(Settings(), limits=Limits(estimate_share=1.0))
    async with serving(make_core(plugins=PLUGINS, settings=settings)) as client:
        window = {"start": "2025-01-01", "end": "2025-01-02", "missing": "estimate"}
        status, found = await cost(client, [FLAT], **window)

    assert (status, found["total"]) == (200, "2.40")
