"""What a cost may rest on besides usage and tariff: parameters, fillings, a time of knowledge."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.core.pricing.asking import answer_of, pointers
from tests.core.pricing.documents import document
from tests.serving import Client

SITE = {"name": "Home", "timezone": "UTC", "country": "BR", "currency": "BRL"}
CHANNEL = {"id": "import", "quantity": "active_energy", "direction": "import"}
METER = {"site": "home", "channels": [{**CHANNEL, "unit": "kWh", "interval": "PT1H"}]}
DAY = {"start": "2026-03-02", "end": "2026-03-03"}
RATE = {"kind": "energy.flat", "rate": {"parameter": "rate"}}
FLAT = {"kind": "energy.flat", "rate": "1"}


def inline(values: list[Any], charge: dict[str, Any], **asked: Any) -> dict[str, Any]:
    """Return a request for readings of 2 March 2026."""
    channels = {"import": {"start": "2026-03-02T00:00:00Z", "values": values}}
    usage = {"timezone": "UTC", "interval": "PT1H", "channels": channels}
    return {"usage": usage, "tariff": document([charge], currency="BRL"), **asked}


async def test_coverage_counts_slots_beyond_the_readings(alone: Client) -> None:
    """A day of two readings misses 22, whatever stands in for them."""
    body = inline([1, 2], FLAT, **DAY, missing="zero")

    status, cost = await answer_of(alone, "POST", "/v1/costs", body)

    assert (status, cost["total"]) == (200, "3.00")
    assert (cost["coverage"]["expected"], cost["coverage"]["missing"]) == (24, 22)


async def test_parameters_are_filled_in(alone: Client) -> None:
    """A field of a charge may be what the request says."""
    body = inline([1, 2], RATE, parameters={"rate": "0.25"})

    status, cost = await answer_of(alone, "POST", "/v1/costs", body)

    assert (status, cost["total"]) == (200, "0.75")
    assert cost["lines"][0]["rate"] == "0.25"


@pytest.mark.parametrize(
    ("parameters", "faults"),
    [
        ({}, {"/parameters/rate": "missing_parameter"}),
        ({"rate": "0.1", "kva": 3}, {"/parameters/kva": "unknown_parameter"}),
        (
            {"kva": 3},
            {"/parameters/kva": "unknown_parameter", "/parameters/rate": "missing_parameter"},
        ),
        ({"rate": "much"}, {"/parameters/rate": "wrong_type"}),
    ],
)
async def test_parameters_that_do_not_fit(
    alone: Client, parameters: dict[str, Any], faults: dict[str, str]
) -> None:
    """Each is named, for one tariff and for several."""
    body = inline([1, 2], RATE, parameters=parameters)
    several = {**body, "tariffs": [body["tariff"], body["tariff"]]}
    del several["tariff"]

    for path, asked in (("/v1/costs", body), ("/v1/costs/compare", several)):
        status, problem = await answer_of(alone, "POST", path, asked)

        assert status == 422
        assert pointers(problem) == faults


async def test_only_versions_of_the_window_ask_for_parameters(alone: Client) -> None:
    """What another version asks for need not be known."""
    body = inline([1, 2], FLAT)
    later = {"valid_from": "2027-01-01", "charges": [RATE]}
    (version,) = body["tariff"]["versions"]
    body["tariff"]["versions"] = [{**version, "valid_to": "2027-01-01"}, later]

    status, cost = await answer_of(alone, "POST", "/v1/costs", body)

    assert (status, cost["total"]) == (200, "3.00")


@pytest.mark.parametrize(
    ("missing", "total", "code"),
    # The mean of the two known hours, which are none alike, is 2.
    [("zero", "4.00", "missing_as_zero"), ("estimate", "6.00", "missing_estimated")],
)
async def test_missing_readings_are_filled_in_where_asked(
    alone: Client, missing: str, total: str, code: str
) -> None:
    """What is missing is refused, unless it is said what becomes of it."""
    body = inline([1, None, 3], FLAT)

    refused, _ = await answer_of(alone, "POST", "/v1/costs", body)
    status, cost = await answer_of(alone, "POST", "/v1/costs", body | {"missing": missing})

    assert (refused, status) == (422, 200)
    assert cost["total"] == total
    assert [(one["code"], one["slots"]) for one in cost["assumptions"]] == [(code, 1)]
    assert cost["coverage"]["missing"] == 1


async def test_a_cost_of_what_was_known(client: Client) -> None:
    """A correction does not change what readings cost as they were known before it."""
    await answer_of(client, "PUT", "/v1/sites/home", SITE)
    await answer_of(client, "PUT", "/v1/meters/m", METER)
    body = {"meter": "m", "tariff": document([FLAT], currency="BRL"), **DAY}
    sent = {"meter": "m", "start": "2026-03-02T00:00:00Z", "interval": "PT1H"}
    await answer_of(client, "POST", "/v1/readings", {"series": [{**sent, "values": [1] * 24}]})
    between = datetime.now(UTC).isoformat()
    await answer_of(client, "POST", "/v1/readings", {"series": [{**sent, "values": [2] * 24}]})

    _, before = await answer_of(client, "POST", "/v1/costs", body | {"known_at": between})
    _, now = await answer_of(client, "POST", "/v1/costs", body)

    assert (before["total"], now["total"]) == ("24.00", "48.00")


async def test_readings_in_the_request_are_known_at_no_time(alone: Client) -> None:
    """`known_at` is about stored readings."""
    body = inline([1], FLAT, known_at="2026-03-02T00:00:00Z")

    status, problem = await answer_of(alone, "POST", "/v1/costs", body)

    assert status == 422
    assert pointers(problem) == {"/known_at": "needs_meter"}
