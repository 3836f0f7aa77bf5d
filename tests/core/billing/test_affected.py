"""Which issued bills would be different if they were made now, why, and by how much."""

from typing import Any

import pytest

from energia.billing.affected import affected as affected_bills
from energia.billing.bills import Bills, Filter
from energia.db.tenant import Tenant
from energia.pricing.tariffs import tariff_converter
from energia.settings import Limits
from energia.time import SystemClock
from energia.web.resources import cursor_of
from tests.core.billing.fakes import plugins
from tests.core.billing.setting import (
    CHANNEL,
    CONTRACT,
    FLAT,
    RATCHET,
    corrected,
    day,
    hours,
    issued,
    meter,
    refusal,
    store_household,
    success,
    tariff,
    tariff_of,
)
from tests.serving import Client

FEE = {"kind": "fixed", "amount": {"parameter": "fee", "default": "31"}, "per": "month"}


async def affected(client: Client, query: str = "") -> dict[str, Any]:
    """Return what has changed for each affected bill, by its id."""
    found = await success(client, "GET", f"/v1/bills?affected=true{query}")
    assert found["next"] is None
    return {bill["id"]: bill["impact"] for bill in found["items"]}


def impact(reason: str, total: str, difference: str) -> dict[str, Any]:
    """Return an impact for one reason."""
    return {"reasons": [reason], "total": total, "difference": difference}


@pytest.fixture
async def billed(household: Client) -> Client:
    """Give a client of a home that pays 12.00 a day and a thirty-first of 31, for four days."""
    await success(household, "PUT", "/v1/tariffs/flat", tariff(FLAT, FEE))
    for first in (1, 2, 3, 4):
        assert (await issued(household, f"b{first}", first))["total"] == "13.00"
    return household


async def test_nothing_is_affected_by_itself(billed: Client) -> None:
    """As long as nothing has changed, the list is empty."""
    assert await affected(billed) == {}


async def test_readings_that_are_sent_again_unchanged_affect_nothing(
    billed: Client, tenant: Tenant
) -> None:
    """They are stored once, and write no revision."""
    await hours(billed, 1, 1, 1, 1, 1)

    assert await affected(billed) == {}
    assert await tenant.fetch(int, "select count(*)::int from reading_day_history") == [0]


async def test_corrected_readings_affect_the_bills_of_their_days(billed: Client) -> None:
    """An hour of 3 kWh for 1 makes the second day 1.00 dearer; its neighbours stay."""
    start = "2025-03-02T23:00:00Z"
    body = {"readings": [{"meter": "m", "start": start, "value": 3}]}
    await success(billed, "POST", "/v1/readings", body)

    assert await affected(billed) == {"b2": impact("readings", "14.00", "1.00")}


async def test_another_quality_of_the_same_value_affects(billed: Client) -> None:
    """The total is the same; what the bill rests on is not."""
    start = "2025-03-02T23:00:00Z"
    body = {"meter": "m", "start": start, "value": 1, "quality": "estimated"}
    await success(billed, "POST", "/v1/readings", {"readings": [body]})

    assert await affected(billed) == {"b2": impact("readings", "13.00", "0.00")}


async def test_readings_that_go_back_affect_nothing(billed: Client) -> None:
    """A correction that is taken back leaves what was billed."""
    await hours(billed, 2, 2)
    await hours(billed, 2, 1)

    assert await affected(billed) == {}


async def test_readings_that_were_missing_affect(household: Client) -> None:
    """The 11th was billed as zero; its 24 kWh came later: 12.00."""
    body = {"id": "b", "contract": "c", **day(10, 12), "missing": "zero"}
    await success(household, "POST", "/v1/bills", body)
    await success(household, "POST", "/v1/bills/b/issue")
    assert await affected(household) == {}
    await hours(household, 11, 1)

    assert await affected(household) == {"b": impact("readings", "24.00", "12.00")}


async def test_parameters_affect_all_bills_of_the_contract(billed: Client) -> None:
    """A fee of 62 for 31 is a real more a day."""
    await success(billed, "PUT", "/v1/contracts/c", {**CONTRACT, "parameters": {"fee": "62"}})

    assert await affected(billed) == {
        f"b{first}": impact("parameters", "14.00", "1.00") for first in (4, 3, 2, 1)
    }


async def test_a_named_channel_is_a_parameter(billed: Client) -> None:
    """Naming the channel that was read anyway changes the contract, and no amount."""
    body = {**CONTRACT, "channels": {"import": ["import"]}}
    await success(billed, "PUT", "/v1/contracts/c", body)

    assert (await affected(billed))["b1"] == impact("parameters", "13.00", "0.00")


async def test_reasons_come_together(billed: Client) -> None:
    """24 kWh more, and a fee of 62: 12.00 + 1.00."""
    await hours(billed, 1, 2)
    await success(billed, "PUT", "/v1/contracts/c", {**CONTRACT, "parameters": {"fee": "62"}})

    found = (await affected(billed))["b1"]

    assert found["reasons"] == ["readings", "parameters"]
    assert (found["total"], found["difference"]) == ("26.00", "13.00")


async def test_a_tariff_of_another_day_affects(billed: Client, tenant: Tenant) -> None:
    """Another version for days that are billed, which only an older release let through."""
    later = {"valid_from": "2025-03-03", "charges": [{**FLAT, "rate": "0.25"}]}
    first = {**tariff(FLAT, FEE)["versions"][0], "valid_to": "2025-03-03"}
    await success(billed, "PUT", "/v1/tariffs/old", tariff_of(first, later))
    await tenant.execute("delete from tariff_version where tariff_id = 'flat'")
    await tenant.execute("update tariff_version set tariff_id = 'flat' where tariff_id = 'old'")

    assert await affected(billed) == {
        "b4": impact("tariff", "6.00", "-7.00"),
        "b3": impact("tariff", "6.00", "-7.00"),
    }


async def test_what_cannot_be_priced_any_more_says_why(billed: Client) -> None:
    """A second channel that the contract names now has no readings yet."""
    await hours(billed, 1, 2)
    await meter(billed, "m", CHANNEL, {**CHANNEL, "id": "more"})
    body = {**CONTRACT, "channels": {"import": ["import", "more"]}}
    await success(billed, "PUT", "/v1/contracts/c", body)

    found = (await affected(billed))["b1"]

    assert found["reasons"] == ["readings", "parameters"]
    assert found["problem"]["code"] == "incomplete_usage"
    assert "total" not in found


@pytest.fixture
async def banked(client: Client) -> Client:
    """Give a client of a home whose bills, of a day each, charge the best day that there ever was.

    1, 2, 1 and 3 kWh an hour: 24.00, 48.00, 48.00 and 72.00.
    """
    await store_household(client, tariff(RATCHET))
    await hours(client, 1, 1, 2, 1, 3)
    totals = [(await issued(client, f"b{first}", first))["total"] for first in (1, 2, 3, 4)]
    assert totals == ["24.00", "48.00", "48.00", "72.00"]
    return client


async def test_what_a_bill_hands_on_affects_those_after_it(banked: Client) -> None:
    """60 kWh on the first day are its own, and the peak of the next two; the fourth has its own."""
    await hours(banked, 1, 2.5)

    before = await success(banked, "GET", "/v1/bills?affected=true")
    found = {bill["id"]: bill["impact"] for bill in before["items"]}

    assert list(found) == ["b1", "b2", "b3", "b4"]
    assert found == {
        "b1": impact("readings", "60.00", "36.00"),
        "b2": impact("prior_state", "60.00", "12.00"),
        "b3": impact("prior_state", "60.00", "12.00"),
        "b4": impact("prior_state", "72.00", "0.00"),
    }
    for bill, change in found.items():
        new = await corrected(banked, bill, f"new-{bill}")
        assert (new["total"], new["difference"]) == (change["total"], change["difference"])
    assert await affected(banked) == {}


async def test_a_bill_of_its_own_change_takes_over_too(banked: Client) -> None:
    """The first has 60 kWh for 24; the third, of 84 for 24, hands that on to the last."""
    await hours(banked, 1, 2.5)
    await hours(banked, 3, 3.5)

    found = await affected(banked)

    assert found["b3"]["reasons"] == ["readings", "prior_state"]
    assert [change["difference"] for change in found.values()] == [
        *("36.00", "12.00", "36.00", "12.00")
    ]


async def test_a_bill_that_hands_on_the_same_ends_the_cascade(banked: Client) -> None:
    """36 kWh on the first day are less than the 48 of the second, which hands on what it did."""
    await hours(banked, 1, 1.5)

    assert await affected(banked) == {
        "b1": impact("readings", "36.00", "12.00"),
        "b2": impact("prior_state", "48.00", "0.00"),
    }


async def test_bills_before_the_window_hand_on_to_it(banked: Client) -> None:
    """A filter and a page leave bills out of the list, not out of the reckoning."""
    await hours(banked, 1, 2.5)

    assert await affected(banked, "&start=2025-03-03&end=2025-03-04") == {
        "b3": impact("prior_state", "60.00", "12.00")
    }
    cursor: str | None = ""
    pages = list[tuple[str, str]]()
    while cursor is not None:
        page = await success(banked, "GET", f"/v1/bills?affected=true&limit=1&cursor={cursor}")
        pages += [(bill["id"], bill["impact"]["difference"]) for bill in page["items"]]
        cursor = page["next"]
    assert pages == [("b1", "36.00"), ("b2", "12.00"), ("b3", "12.00"), ("b4", "0.00")]


async def test_a_place_of_another_list_is_refused(banked: Client) -> None:
    """The cursor of a list of bills is no place among those that are affected."""
    first = await success(banked, "GET", "/v1/bills?limit=1")

    for cursor in (first["next"], cursor_of("2025-03-01"), cursor_of("2025-13-01@c")):
        found = await refusal(banked, "GET", f"/v1/bills?affected=true&cursor={cursor}")
        assert found == (422, "invalid", {"/query/cursor": "wrong_cursor"})


async def test_filters_and_pages_apply(billed: Client) -> None:
    """Affected bills are listed as others are; corrected ones are settled."""
    await hours(billed, 1, 2, 2, 2, 2)

    assert list(await affected(billed, "&start=2025-03-02&end=2025-03-04")) == ["b2", "b3"]
    assert await affected(billed, "&contract=nobody") == {}
    await corrected(billed, "b3", "new")
    first = await success(billed, "GET", "/v1/bills?affected=true&limit=2")
    assert [bill["id"] for bill in first["items"]] == ["b1", "b2"]
    assert list(await affected(billed, f"&limit=2&cursor={first['next']}")) == ["b4"]


async def test_a_page_looks_at_so_many_bills(billed: Client, tenant: Tenant) -> None:
    """It goes on from there, whether it has found any or not."""
    await hours(billed, 4, 2)
    loaded = plugins()
    converter = tariff_converter(loaded.charges())
    bills = Bills(tenant, converter, loaded, SystemClock(), Limits())

    nothing, after = await affected_bills(bills, Filter(), None, limit=10, most=3)
    rest, end = await affected_bills(bills, Filter(), after, limit=10, most=3)

    assert (nothing, str(after)) == ([], "2025-03-04@c")
    assert ([bill.id for bill in rest], end) == (["b4"], None)


async def test_a_page_ends_after_the_work_of_one_price(billed: Client, tenant: Tenant) -> None:
    """Each bill is four units: after four of them there is a place to go on from."""
    await hours(billed, 1, 2, 2, 2, 2)
    loaded = plugins()
    converter = tariff_converter(loaded.charges())
    bills = Bills(tenant, converter, loaded, SystemClock(), Limits(pricing=10))

    found, after = await affected_bills(bills, Filter(), None, limit=10)
    rest, end = await affected_bills(bills, Filter(), after, limit=10)

    assert [bill.id for bill in found] == ["b1", "b2", "b3", "b4"]
    assert str(after) == "2025-03-05@c"
    assert (rest, end) == ([], None)
