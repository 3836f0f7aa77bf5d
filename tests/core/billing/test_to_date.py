"""What a contract costs so far: `GET /v1/contracts/{contract}/to-date`."""

from datetime import UTC, datetime

import pytest

from energia.db.pool import Pool
from tests.core.billing.setting import (
    CONTRACT,
    FLAT,
    day,
    hours,
    issued,
    meter,
    refusal,
    success,
    tariff,
    tariff_of,
)
from tests.core.pricing.asking import answer_of
from tests.serving import Client

PATH = "/v1/contracts/c/to-date?start=2025-03-01"


async def total(client: Client) -> tuple[str, str, str | None]:
    """Return what it costs so far, until when, and until when of that was kept."""
    found = await success(client, "GET", PATH)
    kept = found["kept_until"]
    return found["total"], found["end"][:10], kept and kept[:10]


async def test_a_contract_costs_so_much_so_far(household: Client) -> None:
    """Ten days of 24 kWh at half a real cost 120; the lines are those of the bill of these days."""
    found = await success(household, "GET", PATH)
    bill = await success(household, "POST", "/v1/bills", {"contract": "c", **day(1, 11)})

    assert (found["total"], found["start"]) == ("120.00", "2025-03-01T00:00:00Z")
    assert found["end"] == "2025-03-11T00:00:00Z"
    assert found["lines"] == bill["lines"]


async def test_asking_again_reads_new_days_only(household: Client) -> None:
    """What was measured of whole days is kept and added to."""
    assert await total(household) == ("120.00", "2025-03-11", None)
    await hours(household, 11, 1, 2)

    assert await total(household) == ("156.00", "2025-03-13", "2025-03-11")
    assert await total(household) == ("156.00", "2025-03-13", "2025-03-13")


async def test_a_corrected_reading_is_noticed(household: Client) -> None:
    """What was kept is void once a day of it is corrected."""
    await total(household)
    await hours(household, 4, 3)

    assert await total(household) == ("144.00", "2025-03-11", None)


async def test_another_tariff_is_noticed(household: Client) -> None:
    """What was kept is void once the tariff is another."""
    await total(household)
    await success(household, "PUT", "/v1/tariffs/flat", tariff({**FLAT, "rate": "1"}))

    assert await total(household) == ("240.00", "2025-03-11", None)


async def test_part_of_a_day_is_measured_and_not_kept(household: Client, pool: Pool) -> None:
    """The day that is going on is read each time."""
    series = {"meter": "m", "interval": "PT1H", "start": "2025-03-11T00:00:00Z", "values": [4] * 6}
    await success(household, "POST", "/v1/readings", {"series": [series]})

    found = await success(household, "GET", PATH)

    assert (found["total"], found["end"]) == ("132.00", "2025-03-11T06:00:00Z")
    assert (await total(household))[2] == "2025-03-11"


async def test_the_bill_that_grows_begins_where_the_last_one_ended(household: Client) -> None:
    """Without a day, it goes on from the newest issued bill, with what that left."""
    await issued(household, "b", 1, 8)

    found = await success(household, "GET", "/v1/contracts/c/to-date")

    assert (found["start"], found["total"]) == ("2025-03-08T00:00:00Z", "36.00")


async def test_missing_readings_are_refused(household: Client) -> None:
    """A hole among the readings is named, as in a bill."""
    await hours(household, 12, 1)

    status, code, _ = await refusal(household, "GET", PATH)

    assert (status, code) == (422, "incomplete_usage")


@pytest.mark.parametrize("start", ["2025-02-28", "2099-01-01"])
async def test_there_is_a_bill_in_the_time_of_the_contract_only(
    household: Client, start: str
) -> None:
    """A day before the contract, or one to come, has no bill."""
    answer = await refusal(household, "GET", f"/v1/contracts/c/to-date?start={start}")

    assert answer == (422, "outside_contract", {"/query/start": "outside_contract"})


async def test_without_readings_nothing_is_told(household: Client) -> None:
    """No readings yet are refused, not 0."""
    await success(household, "PUT", "/v1/contracts/c", CONTRACT)

    answer = await refusal(household, "GET", "/v1/contracts/c/to-date?start=2025-04-01")

    assert answer[:2] == (422, "incomplete_usage")


async def test_what_needs_no_reading_costs_until_now(household: Client) -> None:
    """A standing charge alone is that of all days until now."""
    fixed = {"kind": "fixed", "amount": "1", "per": "day"}
    await success(household, "PUT", "/v1/tariffs/flat", tariff(fixed))

    found = await success(household, "GET", PATH)

    days = (datetime.fromisoformat(found["end"]) - datetime(2025, 3, 1, tzinfo=UTC)).days + 1
    assert found["total"] == f"{days}.00"


async def test_a_bill_that_crosses_versions_is_worked_out_anew(household: Client) -> None:
    """Five days at half a real and five at one; nothing of it is kept."""
    one = {"valid_from": "2025-01-01", "valid_to": "2025-03-06", "charges": [FLAT]}
    two = {"valid_from": "2025-03-06", "charges": [{**FLAT, "rate": "1"}]}
    await success(household, "PUT", "/v1/tariffs/flat", tariff_of(one, two))

    assert await total(household) == ("180.00", "2025-03-11", None)
    assert await total(household) == ("180.00", "2025-03-11", None)


async def test_what_is_kept_goes_with_its_contract(household: Client) -> None:
    """A contract that was asked for can be deleted."""
    await total(household)

    await success(household, "DELETE", "/v1/contracts/c")

    assert (await refusal(household, "GET", PATH))[0] == 404


async def test_without_a_bill_it_is_since_the_start_of_the_contract(household: Client) -> None:
    """Ten days of March at 12.00, however long ago that was (case h01)."""
    found = await success(household, "GET", "/v1/contracts/c/to-date")

    assert (found["total"], found["start"]) == ("120.00", "2025-03-01T00:00:00Z")


async def test_a_refusal_without_readings_names_the_window(household: Client) -> None:
    """It says since when none was sent."""
    await meter(household, "empty")
    body = {**CONTRACT, "meter": "empty"}
    await success(household, "PUT", "/v1/contracts/e", body)

    status, problem = await answer_of(household, "GET", "/v1/contracts/e/to-date")

    assert (status, problem["code"]) == (422, "incomplete_usage")
    assert "there are no readings yet from 2025-03-01 to " in problem["errors"][0]["message"]
