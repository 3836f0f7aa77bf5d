"""Prices of a tariff over HTTP."""

import csv
import io
import json
from typing import Any

import pytest

from tests.core.pricing.asking import FLAT, answer_of, pointers
from tests.core.pricing.documents import document
from tests.serving import Client

PATH = "/v1/tariffs/t/prices"
DAY = "start=2026-03-29&end=2026-03-30"
NIGHT = {"default": "day", "rules": [{"period": "night", "from": "00:00", "to": "06:00"}]}
RATES = {"night": {"components": {"te": "0.1", "tusd": "0.05"}}, "day": "0.4"}
BY_TIME = {"kind": "energy.time_of_use", "code": "price", "schedule": NIGHT, "rates": RATES}
#: In Berlin March 29 has 23 hours.
TARIFF = document([FLAT, BY_TIME], "Europe/Berlin", "EUR", valid_to="2027-01-01")
ASKS = document([FLAT | {"rate": {"parameter": "rate"}}], "Europe/Berlin", "EUR")


async def stored(client: Client, tariff: object, **contract: object) -> None:
    """Store the tariff `t`, and a contract of it if it is told."""
    shape = {"quantity": "active_energy", "direction": "import", "unit": "kWh", "interval": "PT1H"}
    bodies: list[tuple[str, object]] = [("/v1/tariffs/t", tariff)]
    if contract:
        site = {"name": "s", "timezone": "Europe/Berlin", "country": "DE", "currency": "EUR"}
        bodies += [
            ("/v1/sites/s", site),
            ("/v1/meters/m", {"site": "s", "channels": [{"id": "import", **shape}]}),
            ("/v1/contracts/c", {"meter": "m", "tariff": "t", "start": "2026-01-01", **contract}),
        ]
    for path, body in bodies:
        status, answer = await answer_of(client, "PUT", path, body)
        assert status == 201, answer


async def file(client: Client, path: str, accept: str) -> str:
    """Return an answer as a file."""
    async with client.get(path, headers={"Accept": accept}) as answer:
        assert (answer.status, answer.content_type) == (200, accept)
        return await answer.text()


async def test_the_prices_of_a_day(client: Client) -> None:
    """The day of 23 hours: five hours of night, 18 of day, each with its offset."""
    await stored(client, TARIFF)

    status, found = await answer_of(client, "GET", f"{PATH}?{DAY}")

    assert status == 200, found
    data = found.pop("data")
    assert found == {
        "currency": "EUR",
        "unit": "kWh",
        "timezone": "Europe/Berlin",
        "assumptions": [],
        "next_update": None,
        "stale": False,
    }
    assert [one["period"] for one in data] == ["night"] * 5 + ["day"] * 18
    assert data[1] == {
        "start": "2026-03-29T01:00:00+01:00",
        "end": "2026-03-29T03:00:00+02:00",
        "price": "0.45",
        "components": {"energy.flat": "0.30", "price.te": "0.1", "price.tusd": "0.05"},
        "period": "night",
    }
    assert [one["end"] for one in data[:-1]] == [one["start"] for one in data[1:]]
    assert data[-1]["end"] == "2026-03-30T00:00:00+02:00"


async def test_files_have_the_same_prices(client: Client) -> None:
    """A column for each component, empty where there is none; names cannot collide."""
    await stored(client, TARIFF)
    path = f"{PATH}?{DAY}&resolution=PT15M"
    _, found = await answer_of(client, "GET", path)

    rows = list(csv.DictReader(io.StringIO(await file(client, path, "text/csv"))))
    lines = (await file(client, path, "application/x-ndjson")).splitlines()

    names = ["component.energy.flat", "component.price.te", "component.price.tusd"]
    assert list(rows[0]) == ["start", "end", "price", "period", *names, "component.price"]
    expected = [
        {name: slot[name] for name in ("start", "end", "price", "period")}
        | {f"component.{name}": value for name, value in slot["components"].items()}
        for slot in found["data"]
    ]
    assert len(expected) == 92
    assert [{k: v for k, v in row.items() if v} for row in rows] == expected
    objects = [json.loads(line) for line in lines]
    assert [{k: v for k, v in one.items() if v is not None} for one in objects] == expected


async def test_many_slots_come_in_several_batches(client: Client) -> None:
    """A year of quarter-hours, past and ahead: 35,040 rows that follow one another."""
    await stored(client, TARIFF)

    text = await file(
        client, f"{PATH}?start=2026-01-01&end=2027-01-01&resolution=PT15M", "text/csv"
    )

    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 35_040
    assert [row["end"] for row in rows[:-1]] == [row["start"] for row in rows[1:]]
    assert sum(row["period"] == "night" for row in rows) == 365 * 24


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("start=2026-03-02&end=2026-03-02", {"/query/end": "empty_window"}),
        ("start=2026-03-02T00:00:00.5Z&end=2026-03-03", {"/query/start": "out_of_range"}),
        (f"{DAY}&resolution=PT7M", {"/query/resolution": "wrong_interval"}),
        (f"{DAY}&resolution=P1D", {"/query/resolution": "wrong_interval"}),
        (f"{DAY}&resolution=PT0S", {"/query/resolution": "wrong_interval"}),
        (f"{DAY}&resolution=soon", {"/query/resolution": "wrong_interval"}),
        ("start=2026-01-01&end=2027-01-01&resolution=PT5M", {"/query/end": "too_many_slots"}),
        ("start=2026-12-31&end=2027-01-02", {"/query/end": "no_version_in_force"}),
        ("start=1989-12-31&end=1990-01-02", {"/query/start": "no_version_in_force"}),
        (f"{DAY}&channel=export", {"/query/channel": "no_unit_price"}),
        (f"{DAY}&channel=inport", {"/query/channel": "unknown_role"}),
        (f"{DAY}&contract=nobody", {"/query/contract": "unknown_contract"}),
        (f"{DAY}&contract=%20", {"/query/contract": "bad_pattern"}),
    ],
)
async def test_queries_that_do_not_fit(
    client: Client, query: str, expected: dict[str, str]
) -> None:
    """Each fault names the parameter of the query, for files too."""
    await stored(client, TARIFF)

    for accept in ("application/json", "text/csv"):
        async with client.get(f"{PATH}?{query}", headers={"Accept": accept}) as answer:
            assert answer.status == 422
            assert pointers(await answer.json()) == expected


async def test_a_contract_tells_the_parameters(client: Client) -> None:
    """Without one, or without a default, there is no price."""
    await stored(client, ASKS, parameters={"rate": "0.17"})

    status, found = await answer_of(client, "GET", f"{PATH}?{DAY}&contract=c")
    refused, problem = await answer_of(client, "GET", f"{PATH}?{DAY}")

    assert (status, found["data"][0]["price"]) == (200, "0.17")
    assert (refused, pointers(problem)) == (422, {"/query/contract": "missing_parameter"})


async def test_parameters_that_do_not_fit_any_more(client: Client) -> None:
    """The tariff asks for something else since the contract was made: the contract is to blame."""
    await stored(client, ASKS, parameters={"rate": "0.17"})
    parts = {"kind": "energy.flat", "components": {"parameter": "rate"}}
    await answer_of(client, "PUT", "/v1/tariffs/t", document([parts], "Europe/Berlin", "EUR"))

    status, problem = await answer_of(client, "GET", f"{PATH}?{DAY}&contract=c")

    assert (status, pointers(problem)) == (422, {"/query/contract": "wrong_type"})


async def test_a_contract_of_another_tariff_is_refused(client: Client) -> None:
    """Its parameters would be guesses."""
    await stored(client, TARIFF, end="2026-06-01")
    await answer_of(client, "PUT", "/v1/tariffs/u", TARIFF)

    status, problem = await answer_of(client, "GET", f"/v1/tariffs/u/prices?{DAY}&contract=c")

    assert (status, pointers(problem)) == (422, {"/query/contract": "other_tariff"})


async def test_there_is_no_such_tariff(client: Client) -> None:
    """404, as for the tariff itself."""
    assert (await answer_of(client, "GET", f"{PATH}?{DAY}"))[0] == 404


async def test_the_document_says_what_prices_are(alone: Client) -> None:
    """Times are instants; the period may lack."""
    _, found = await answer_of(alone, "GET", "/openapi.json")

    schema: dict[str, Any] = found["components"]["schemas"]["SlotPrice"]
    assert schema["properties"]["start"]["format"] == "date-time"
    assert schema["required"] == ["start", "end", "price", "components"]
