"""Tariffs with parameters over HTTP."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.core.pricing.asking import answer_of, pointers
from tests.core.pricing.documents import document
from tests.serving import Client

NIGHT = {"default": "day", "rules": [{"period": "night", "from": "00:00", "to": "07:00"}]}
RATES = {"day": "0.30", "night": {"components": {"te": "0.05", "tusd": "0.05"}}}
#: Every field but the kind and the code is a parameter in one of these.
CHARGES: list[dict[str, Any]] = [
    {
        "kind": "energy.time_of_use",
        "code": "energy",
        "description": {"parameter": "name", "default": None},
        "channel": {"parameter": "role", "default": "import"},
        "schedule": {"parameter": "when", "default": NIGHT},
        "rates": {"parameter": "rates"},
    },
    {"kind": "energy.flat", "components": {"parameter": "parts", "default": {"te": "0.10"}}},
    {"kind": "fixed", "amount": {"parameter": "amount"}, "per": {"parameter": "per"}},
]
TARIFF = document(CHARGES)


async def made(client: Client) -> None:
    """Store the tariff and a meter, which has a kilowatt-hour an hour on March 2."""
    site = {"name": "s", "timezone": "UTC", "country": "GB", "currency": "USD"}
    shape = {"quantity": "active_energy", "direction": "import", "unit": "kWh", "interval": "PT1H"}
    run = {"meter": "m", "start": "2026-03-02T00:00:00Z", "interval": "PT1H", "values": [1] * 24}
    for method, path, body in (
        ("PUT", "/v1/tariffs/t", TARIFF),
        ("PUT", "/v1/sites/s", site),
        ("PUT", "/v1/meters/m", {"site": "s", "channels": [{"id": "import", **shape}]}),
        ("POST", "/v1/readings", {"series": [run]}),
    ):
        status, answer = await answer_of(client, method, path, body)
        assert status in (200, 201), answer


async def test_what_was_sent_is_given_back(client: Client) -> None:
    """By GET and in the list, number for number; and it may be sent again."""
    await answer_of(client, "PUT", "/v1/tariffs/t", TARIFF)

    _, found = await answer_of(client, "GET", "/v1/tariffs/t")
    _, listed = await answer_of(client, "GET", "/v1/tariffs")
    status, again = await answer_of(client, "PUT", "/v1/tariffs/t", found)

    assert found["versions"][0]["charges"] == CHARGES
    assert listed["items"] == [found]
    assert (status, again) == (200, found)


async def test_numbers_are_given_back_as_text(client: Client) -> None:
    """As everywhere, and as exact as they were written."""
    body = json.dumps(
        document([{"kind": "energy.flat", "rate": {"parameter": "r", "default": "?"}}])
    )
    data = body.replace('"?"', "0.1000000000000000000001")
    await client.put("/v1/tariffs/t", data=data, headers={"Content-Type": "application/json"})

    _, found = await answer_of(client, "GET", "/v1/tariffs/t")

    assert found["versions"][0]["charges"][0]["rate"]["default"] == "0.1000000000000000000001"


async def test_what_is_wrong_is_refused_when_it_is_saved(alone: Client) -> None:
    """All faults at once, each at its place in the document."""
    charges = [
        CHARGES[0]
        | {"rates": {"parameter": "r", "default": {"day": "1"}}, "colour": {"parameter": "c"}},
        CHARGES[1] | {"kind": {"parameter": "k"}},
        CHARGES[2] | {"proration": "half"},
    ]

    status, problem = await answer_of(alone, "PUT", "/v1/tariffs/t", document(charges))

    assert status == 422
    assert pointers(problem) == {
        "/versions/0/charges/0/rates/default/night": "missing_rate",
        "/versions/0/charges/0/colour": "unknown_field",
        "/versions/0/charges/1/kind": "not_a_parameter",
        "/versions/0/charges/2/proration": "unknown_value",
    }


GIVEN = {"rates": RATES, "amount": "5", "per": "day"}


@pytest.mark.parametrize(
    ("parameters", "faults"),
    [
        (GIVEN, None),
        ({"amount": "5"}, {"/parameters/rates": "missing_parameter",
                           "/parameters/per": "missing_parameter"}),
        (GIVEN | {"per": "week"}, {"/parameters/per": "unknown_value"}),
        (GIVEN | {"rates": {"day": "1", "night": "x"}}, {"/parameters/rates/night": "wrong_type"}),
        (GIVEN | {"when": {"default": "day"}}, {"/parameters/rates/night": "unknown_period"}),
        (GIVEN | {"when": {"rules": NIGHT["rules"]}, "rates": {"night": "1"}},
         {"/parameters/when": "incomplete_schedule"}),
        (GIVEN | {"colour": "red"}, {"/parameters/colour": "unknown_parameter"}),
    ],
)  # fmt: skip
async def test_a_contract_gives_parameters(
    client: Client, parameters: dict[str, Any], faults: dict[str, str] | None
) -> None:
    """They are checked when it is made."""
    await made(client)
    contract = {"meter": "m", "tariff": "t", "start": "2026-01-01", "parameters": parameters}

    status, answer = await answer_of(client, "PUT", "/v1/contracts/c", contract)

    if faults is None:
        assert (status, answer["parameters"]) == (201, parameters)
    else:
        assert (status, pointers(answer)) == (422, faults)


@pytest.mark.parametrize("parameters", [{}, GIVEN])
async def test_nothing_that_prices_fails_for_want_of_parameters(
    client: Client, parameters: dict[str, Any]
) -> None:
    """Costs, comparisons, prices, bills and usage by period: an answer, or 422 that names them."""
    await made(client)
    window = {"start": "2026-03-02", "end": "2026-03-03", "parameters": parameters}
    missing = {f"/parameters/{name}": "missing_parameter" for name in GIVEN}

    cost = await answer_of(client, "POST", "/v1/costs", {"meter": "m", "tariff": "t", **window})
    compared = await answer_of(
        client, "POST", "/v1/costs/compare", {"meter": "m", "tariffs": ["t", "t"], **window}
    )

    for status, answer in (cost, compared):
        if parameters:
            # 7 h x 0.10 + 17 h x 0.30, 24 h x 0.10, 5 for the day.
            assert status == 200
            assert (answer.get("total") or answer["ranking"][1]["total"]) == "13.20"
        else:
            assert (status, pointers(answer)) == (422, missing)


async def test_usage_by_period_needs_no_rates(client: Client) -> None:
    """The schedule is known, by its default: that is all that is asked for."""
    await made(client)
    query = "start=2026-03-02&end=2026-03-03&by=period&tariff=t"

    status, found = await answer_of(client, "GET", f"/v1/meters/m/usage?{query}")

    assert status == 200, found
    assert found["data"][0]["periods"] == {"night": "7", "day": "17"}


async def test_usage_by_a_period_that_only_a_parameter_tells(client: Client) -> None:
    """Without a default there is no schedule to split by."""
    await made(client)
    charge = CHARGES[0] | {"schedule": {"parameter": "when"}}
    await answer_of(client, "PUT", "/v1/tariffs/t", document([charge]))
    query = "start=2026-03-02&end=2026-03-03&by=period&tariff=t"

    status, problem = await answer_of(client, "GET", f"/v1/meters/m/usage?{query}")

    assert (status, pointers(problem)) == (422, {"/query/tariff": "no_schedule"})


async def test_the_document_shows_the_stand_in(alone: Client) -> None:
    """The schema of a tariff takes a parameter for any field but the kind and the code."""
    _, found = await answer_of(alone, "GET", "/openapi.json")
    schema = {"$ref": "#/components/schemas/NewTariff", "components": found["components"]}
    validator = jsonschema.Draft202012Validator(schema)

    assert list(validator.iter_errors(TARIFF)) == []
    for bad in (
        {"kind": {"parameter": "k"}, "rate": "1"},
        {"kind": "energy.flat", "code": {"parameter": "k"}, "rate": "1"},
        {"kind": "energy.flat", "rate": {"parameter": ""}},
        {"kind": "energy.flat", "rate": {"parameter": "r", "dfault": "1"}},
    ):
        assert not validator.is_valid(document([bad])), bad
