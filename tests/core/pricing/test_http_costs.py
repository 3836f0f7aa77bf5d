"""Costs over HTTP, of stored readings and of those that come with the request."""

from typing import Any

import pytest

from tests.core.pricing.asking import BODY, FLAT, answer_of, pointers
from tests.core.pricing.documents import document
from tests.serving import Client

USAGE = {
    "timezone": "America/Sao_Paulo",
    "interval": "PT1H",
    "channels": {"import": {"start": "2026-03-01T00:00:00-03:00", "values": [1, "0.5", 0.25]}},
}


async def test_inline_usage_and_tariff_need_no_database(alone: Client) -> None:
    """Stateless pricing works while the database is away."""
    status, cost = await answer_of(alone, "POST", "/v1/costs", {"usage": USAGE, "tariff": BODY})

    assert status == 200
    assert cost == {
        "currency": "BRL",
        "total": "0.53",
        "start": "2026-03-01T00:00:00-03:00",
        "end": "2026-03-01T03:00:00-03:00",
        "lines": [
            {
                "code": "energy.flat",
                "description": "Energy",
                "quantity": "1.75",
                "unit": "kWh",
                "rate": "0.30",
                "amount": "0.53",
                "exact": "0.525",
            }
        ],
        "coverage": {"expected": 3, "actual": 3, "estimated": 0, "questionable": 0, "missing": 0},
        "assumptions": [],
        "state": {},
        "inputs": {
            "version": "1990-01-01",
            "plugins": {"tariff-flat": None},
        },
    }


async def test_a_stored_tariff_needs_the_database(alone: Client) -> None:
    """Without the database a stored tariff is 503, to be tried again."""
    status, problem = await answer_of(alone, "POST", "/v1/costs", {"usage": USAGE, "tariff": "a"})

    assert (status, problem["code"]) == (503, "database_away")


async def test_the_window_may_be_dates(alone: Client) -> None:
    """Dates are midnights of the zone of the usage; what the usage lacks is a gap."""
    body = {"usage": USAGE, "tariff": BODY, "start": "2026-03-01", "end": "2026-03-02"}

    status, problem = await answer_of(alone, "POST", "/v1/costs", body)

    assert (status, problem["code"]) == (422, "incomplete_usage")
    assert problem["errors"] == [
        {
            "code": "never_sent",
            "message": "import: no reading from 2026-03-01T03:00:00-03:00 to "
            "2026-03-02T00:00:00-03:00 (21 slots)",
            "pointer": "/usage/channels/import/values",
        }
    ]


def usage(**changes: Any) -> dict[str, Any]:
    """Return a request whose only channel is changed."""
    channel = USAGE["channels"]["import"] | changes  # type: ignore[index]
    return {"tariff": BODY, "usage": USAGE | {"channels": {"import": channel}}}


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"tariff": BODY}, {"/meter": "meter_or_usage"}),
        ({}, {"/meter": "meter_or_usage", "/tariff": "missing_field"}),
        ({"tariff": BODY, "meter": "m"}, {"/start": "missing_field", "/end": "missing_field"}),
        ({"usage": USAGE}, {"/tariff": "missing_field"}),
        ({"usage": USAGE, "tariff": BODY, "grup": "P1M"}, {"/grup": "unknown_field"}),
        (
            {"usage": USAGE, "tariff": BODY, "start": "2026-03-01T00:00:00"},
            {"/start": "naive_time"},
        ),
        (
            {"usage": USAGE, "tariff": BODY, "start": "2026-03-01T00:00:00.5Z"},
            {"/start": "out_of_range"},
        ),
        (
            {"usage": USAGE, "tariff": BODY, "start": "2026-03-02", "end": "2026-03-01"},
            {"/end": "empty_window"},
        ),
        (
            {"usage": USAGE | {"timezone": "Mars", "interval": "PT7M"}, "tariff": BODY},
            {"/usage/timezone": "unknown_timezone", "/usage/interval": "wrong_interval"},
        ),
        (
            {"usage": USAGE | {"interval": "PT1.5S"}, "tariff": BODY},
            {"/usage/interval": "wrong_interval"},
        ),
        (
            {"usage": USAGE | {"interval": "P1D"}, "tariff": BODY},
            {"/usage/interval": "wrong_interval"},
        ),
        (usage(unit="m3"), {"/usage/channels/import/unit": "wrong_unit"}),
        (usage(unit="parsec"), {"/usage/channels/import/unit": "wrong_unit"}),
        (usage(values=[]), {"/usage/channels/import/values": "too_short"}),
        (usage(values=["NaN"]), {"/usage/channels/import/values/0": "not_a_number"}),
        (usage(values=[1, "1e12"]), {"/usage/channels/import/values/1": "out_of_range"}),
        (usage(start="2026-03-01T00:00:00.5Z"), {"/usage/channels/import/start": "off_grid"}),
        (
            {"usage": USAGE, "tariff": document([FLAT | {"channel": "export"}])},
            {"/tariff": "missing_channel"},
        ),
    ],
)  # fmt: skip
async def test_requests_that_do_not_fit(
    alone: Client, body: dict[str, Any], faults: dict[str | None, str]
) -> None:
    """Each is 422, with the place of each fault."""
    status, problem = await answer_of(alone, "POST", "/v1/costs", body)

    assert status == 422, problem
    assert {one.get("pointer"): one["code"] for one in problem["errors"]} == faults


async def test_more_slots_than_the_limit_are_refused(alone: Client) -> None:
    """The limit is named."""
    status, problem = await answer_of(alone, "POST", "/v1/costs", usage(values=[0] * 101))

    assert status == 413
    assert "limits.slots" in problem["detail"]


async def test_units_are_converted_exactly(alone: Client) -> None:
    """Megawatt-hours are a thousand kilowatt-hours."""
    _, cost = await answer_of(alone, "POST", "/v1/costs", usage(unit="MWh", values=["0.0123456"]))

    assert cost["lines"][0]["quantity"] == "12.3456"


async def stored_meter(client: Client, *channels: str) -> None:
    """Make a site with a meter, and a kilowatt-hour an hour of March 1 in each channel."""
    site = {"name": "s", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
    shape = {"quantity": "active_energy", "direction": "import", "unit": "kWh", "interval": "PT1H"}
    meter = {
        "site": "s",
        "channels": [{"id": one, "kind": "interval", **shape} for one in channels],
    }
    run = {
        "meter": "m",
        "start": "2026-03-01T00:00:00-03:00",
        "interval": "PT1H",
        "values": [1] * 24,
    }
    for method, path, body in (
        ("PUT", "/v1/sites/s", site),
        ("PUT", "/v1/meters/m", meter),
        ("POST", "/v1/readings", {"series": [run | {"channel": one} for one in channels]}),
    ):  # fmt: skip
        status, answer = await answer_of(client, method, path, body)
        assert status in (200, 201), answer


STORED = {"meter": "m", "tariff": BODY, "start": "2026-03-01", "end": "2026-03-02"}


async def test_a_stored_meter_is_priced(client: Client) -> None:
    """The day of the site's zone costs what its readings say; the revision is told."""
    await stored_meter(client, "import")

    status, cost = await answer_of(client, "POST", "/v1/costs", STORED)

    assert status == 200, cost
    assert (cost["total"], cost["start"]) == ("7.20", "2026-03-01T00:00:00-03:00")
    assert cost["coverage"]["actual"] == 24
    assert cost["inputs"]["readings_revision_at"].endswith("-03:00")


async def test_several_channels_of_a_role_are_named(client: Client) -> None:
    """Two import channels are ambiguous, unless they are named: then they are summed."""
    await stored_meter(client, "e1", "e2")

    status, problem = await answer_of(client, "POST", "/v1/costs", STORED)
    _, one = await answer_of(client, "POST", "/v1/costs", STORED | {"channels": {"import": ["e2"]}})
    _, both = await answer_of(
        client, "POST", "/v1/costs", STORED | {"channels": {"import": ["e1", "e2"]}}
    )

    assert (status, problem["code"]) == (422, "ambiguous_channel")
    assert (one["total"], both["total"]) == ("7.20", "14.40")


@pytest.mark.parametrize(
    ("change", "code", "faults"),
    [
        ({"meter": "x"}, "invalid", {"/meter": "unknown_meter"}),
        ({"tariff": "x"}, "invalid", {"/tariff": "unknown_tariff"}),
        (
            {"channels": {"import": ["import", "x", "import"]}},
            "invalid",
            {"/channels/import/1": "unknown_channel", "/channels/import/2": "unknown_channel"},
        ),
        ({"end": "2026-03-03"}, "incomplete_usage", {"/meter": "never_sent"}),
        (
            {"meter": "x", "tariff": "x"},
            "invalid",
            {"/meter": "unknown_meter", "/tariff": "unknown_tariff"},
        ),
        (
            {"tariff": document([FLAT], valid_from="2026-04-01")},
            "invalid",
            {"/start": "no_version_in_force"},
        ),
    ],
)
async def test_what_is_not_stored_is_named(
    client: Client, change: dict[str, Any], code: str, faults: dict[str | None, str]
) -> None:
    """An unknown meter, tariff or channel is a fault of the body; so is a gap."""
    await stored_meter(client, "import")

    status, problem = await answer_of(client, "POST", "/v1/costs", STORED | change)

    assert (status, problem["code"]) == (422, code)
    assert {one.get("pointer"): one["code"] for one in problem["errors"]} == faults


async def test_a_gap_points_to_the_readings_that_have_it(alone: Client) -> None:
    """In a comparison as well: the tariff is not what is wrong."""
    body = usage(values=[1, None, None, 2])
    tariffs = {"usage": body["usage"], "tariffs": [BODY]}

    for path, sent in (("/v1/costs", body), ("/v1/costs/compare", tariffs)):
        _, problem = await answer_of(alone, "POST", path, sent)

        assert problem["code"] == "incomplete_usage"
        assert pointers(problem) == {"/usage/channels/import/values": "never_sent"}


async def test_usage_that_is_too_fine_is_rounded_and_told(alone: Client) -> None:
    """Two of three values have more than six decimals: 0.1 + 0.000001 + 1 kWh at 1.00."""
    body = {
        "tariff": document([{"kind": "energy.flat", "rate": "1"}]),
        "usage": {
            "timezone": "UTC",
            "interval": "PT1H",
            "channels": {
                "import": {"start": "2026-03-02T00:00:00Z", "values": [0.1, 0.0000012, 0.99999999]}
            },
        },
    }

    status, found = await answer_of(alone, "POST", "/v1/costs", body)

    assert (status, found["lines"][0]["quantity"]) == (200, "1.100001")
    assert [(one["code"], one["slots"]) for one in found["assumptions"]] == [
        ("rounded_readings", 2)
    ]
