"""Price series over HTTP, kept with every revision."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.pool import Pool
from tests.core.pricing.asking import answer_of, pointers
from tests.serving import Client, Serving, make_core

PATH = "/v1/price-series/spot"
HEAD = {"currency": "EUR", "unit": "MWh", "interval": "PT1H", "timezone": "Europe/Madrid"}
START = "2026-03-02T00:00:00+01:00"
DAY = "start=2026-03-02&end=2026-03-03"
HOURS = {"start": START, "values": ["61.20", "58.94", "-0.01"]}


@pytest.fixture
async def client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with a fresh database."""
    async with serving(make_core(pool=pool)) as client:
        yield client


async def success(client: Client, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Send a request that must be granted, and return the answer."""
    status, answer = await answer_of(client, method, path, body)
    assert status in (200, 201, 204), answer
    return answer


async def stored(client: Client, *batches: object) -> dict[str, Any]:
    """Make the series and store prices; return the last answer."""
    await success(client, "PUT", PATH, HEAD)
    answer = {}
    for batch in batches:
        answer = await success(client, "POST", f"{PATH}/prices", batch)
    return answer


def listed(*prices: tuple[str, str, str]) -> dict[str, Any]:
    """Return prices of times on March 2nd, one by one."""
    day = "2026-03-02T"
    return {
        "prices": [
            {"start": f"{day}{start}:00+01:00", "end": f"{day}{end}:00+01:00", "price": price}
            for start, end, price in prices
        ]
    }


async def test_a_series_is_made_and_shown(client: Client) -> None:
    """201 at first, then 200; without prices it has no horizon."""
    made, shown = await answer_of(client, "PUT", PATH, HEAD)
    again, _ = await answer_of(client, "PUT", PATH, HEAD)
    _, listed = await answer_of(client, "GET", "/v1/price-series")

    assert (made, again) == (201, 200)
    assert shown == {
        "id": "spot",
        "currency": "EUR",
        "unit": "MWh",
        "interval": "PT1H",
        "timezone": "Europe/Madrid",
        "horizon": None,
        "revised_at": None,
        "feed": None,
    }
    assert listed["items"] == [shown]


async def test_prices_come_back_as_they_were_sent(client: Client) -> None:
    """In the unit of the series, in its zone; the same again changes nothing."""
    first = await stored(client, HOURS)
    again = await success(client, "POST", f"{PATH}/prices", HOURS)

    found = await success(client, "GET", f"{PATH}/prices?{DAY}")

    assert (first["created"], again["created"], again["unchanged"]) == (3, 0, 3)
    assert again["revision_at"] is None
    assert [one["price"] for one in found["data"]] == ["61.2", "58.94", "-0.01"]
    assert found["data"][2]["start"] == "2026-03-02T02:00:00+01:00"
    assert found["data"][2]["end"] == "2026-03-02T03:00:00+01:00"
    assert found["horizon"].startswith("2026-03-02T02:00:00")
    assert (found["next_update"], found["stale"]) == (None, False)


async def test_prices_of_kilowatt_hours_are_those_of_megawatt_hours(client: Client) -> None:
    """0.0612 for a kWh is 61.2 for a MWh."""
    await stored(client, {**HOURS, "unit": "kWh", "values": ["0.0612"]})

    found = await success(client, "GET", f"{PATH}/prices?{DAY}")

    assert [one["price"] for one in found["data"]] == ["61.2"]


async def test_a_corrected_price_is_a_revision(client: Client) -> None:
    """The old one stays readable, as it was known then."""
    first = await stored(client, HOURS)
    second = await success(client, "POST", f"{PATH}/prices", {"start": START, "values": ["70"]})
    old = first["revision_at"].replace("+", "%2B")

    now = await success(client, "GET", f"{PATH}/prices?{DAY}")
    then = await success(client, "GET", f"{PATH}/prices?{DAY}&known_at={old}")

    assert (second["created"], second["corrected"]) == (0, 1)
    assert [one["price"] for one in now["data"]] == ["70", "58.94", "-0.01"]
    assert [one["price"] for one in then["data"]] == ["61.2", "58.94", "-0.01"]
    assert (now["revision_at"], then["revision_at"]) == (
        second["revision_at"], first["revision_at"]
    )  # fmt: skip


async def test_quarters_take_the_place_of_an_hour(client: Client) -> None:
    """All of it: a part of an hour without a price is refused, and nothing is stored."""
    await stored(client, HOURS)
    part = listed(("00:00", "00:15", "1"), ("00:15", "00:30", "2"))
    whole = listed(*((f"00:{m:02}", f"00:{m + 15:02}", str(m)) for m in (0, 15, 30)),
                   ("00:45", "01:00", "45"))  # fmt: skip

    status, problem = await answer_of(client, "POST", f"{PATH}/prices", part)
    answer = await success(client, "POST", f"{PATH}/prices", whole)
    found = await success(client, "GET", f"{PATH}/prices?{DAY}")

    assert (status, problem["errors"][0]["code"]) == (422, "partly_replaced")
    assert (answer["created"], answer["corrected"]) == (3, 1)
    assert [one["price"] for one in found["data"]] == ["0", "15", "30", "45", "58.94", "-0.01"]


async def test_two_prices_for_one_slot_are_refused(client: Client) -> None:
    """Not the last one wins: the slot is named, and nothing is stored."""
    await stored(client)
    twice = listed(("00:00", "01:00", "1"), ("01:00", "02:00", "3"), ("00:00", "01:00", "2"))

    status, problem = await answer_of(client, "POST", f"{PATH}/prices", twice)

    assert status == 422
    (fault,) = problem["errors"]
    assert (fault["code"], fault["pointer"]) == ("duplicate_price", "/prices/2")
    assert "2026-03-01T23:00:00Z to 2026-03-02T00:00:00Z" in fault["message"]
    assert (await success(client, "GET", PATH))["horizon"] is None


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"/values": "values_or_prices"}),
        ({"values": ["1"]}, {"/start": "missing_field"}),
        ({**HOURS, "prices": []}, {"/prices": "too_short"}),
        ({"start": "2026-03-02T00:00:00.5Z", "values": ["1"]}, {"/start": "off_grid"}),
        ({**HOURS, "interval": "PT0S"}, {"/interval": "wrong_interval"}),
        ({**HOURS, "values": ["NaN"]}, {"/values/0": "not_a_number"}),
        ({**HOURS, "unit": "therm"}, {"/unit": "unknown_value"}),
        (listed(("02:00", "01:00", "1")), {"/prices/0/end": "wrong_interval"}),
        (
            listed(("00:00", "02:00", "1"), ("01:00", "02:00", "1")),
            {"/prices/1": "overlapping_prices"},
        ),
    ],
)
async def test_prices_that_do_not_fit(client: Client, body: object, faults: dict[str, str]) -> None:
    """Each fault has its place."""
    await stored(client)

    status, problem = await answer_of(client, "POST", f"{PATH}/prices", body)

    assert status == 422
    assert pointers(problem) == faults


async def test_files_have_the_same_prices(client: Client) -> None:
    """One row for each."""
    await stored(client, HOURS)

    async with client.get(f"{PATH}/prices?{DAY}", headers={"Accept": "text/csv"}) as answer:
        rows = list(csv.DictReader(io.StringIO(await answer.text())))

    assert [row["price"] for row in rows] == ["61.2", "58.94", "-0.01"]
    assert rows[0]["start"] == START


async def test_the_currency_of_prices_stays(client: Client) -> None:
    """With prices it is 409; what they are shown in may change."""
    await stored(client, HOURS)

    other, _ = await answer_of(client, "PUT", PATH, {**HEAD, "currency": "BRL"})
    await success(client, "PUT", PATH, {**HEAD, "unit": "kWh"})
    found = await success(client, "GET", f"{PATH}/prices?{DAY}")

    assert other == 409
    assert found["data"][0]["price"] == "0.0612"


async def test_a_series_is_deleted_with_its_prices(client: Client) -> None:
    """Made anew, it is empty."""
    await stored(client, HOURS)

    await success(client, "DELETE", PATH)
    gone, _ = await answer_of(client, "GET", PATH)
    await success(client, "PUT", PATH, HEAD)

    assert gone == 404
    assert (await success(client, "GET", f"{PATH}/prices?{DAY}"))["data"] == []
    assert (await answer_of(client, "DELETE", "/v1/price-series/none"))[0] == 404
