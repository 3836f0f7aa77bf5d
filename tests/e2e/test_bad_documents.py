"""Tariffs, sites and meters that do not fit are refused when they are saved, or never priced."""

from typing import Any

import aiohttp
import pytest

from tests.e2e.refusals import refused
from tests.e2e.test_household import set_up

READING = {"meter": "main", "start": "2026-03-01T00:00:00Z", "value": 1}
TARIFF = {"name": "T", "currency": "GBP", "timezone": "Europe/London"}
FLAT = {"kind": "energy.flat", "rate": "0.2"}
GAPPY = {
    "kind": "energy.time_of_use",
    "schedule": {"rules": [{"period": "day", "days": ["all"], "from": "07:00", "to": "23:59"}]},
    "rates": {"day": "0.3"},
}


def tariff(*versions: dict[str, Any]) -> dict[str, Any]:
    """Return a tariff with the given versions."""
    return {**TARIFF, "versions": list(versions)}


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        (
            tariff(
                {"valid_from": "2026-01-01", "charges": [FLAT]},
                {"valid_from": "2026-02-01", "charges": [FLAT]},
            ),
            "versions_overlap",
            "/versions/0/valid_to",
        ),
        (
            tariff({"valid_from": "2026-01-01", "charges": [GAPPY]}),
            "incomplete_schedule",
            "/versions/0/charges/0/schedule",
        ),
        (
            tariff({"valid_from": "2026-01-01", "charges": [{"kind": "energy.free"}]}),
            "unknown_kind",
            "/versions/0/charges/0/kind",
        ),
        (
            tariff({"valid_from": "2026-01-01", "charges": [{**FLAT, "rate": "NaN"}]}),
            "not_a_number",
            "/versions/0/charges/0/rate",
        ),
        (
            tariff({"valid_from": "2026-01-01", "charges": [{**FLAT, "rat": "1"}]}),
            "unknown_field",
            "/versions/0/charges/0/rat",
        ),
    ],
)
async def test_a_bad_tariff_is_not_saved(
    api: aiohttp.ClientSession, document: dict[str, Any], code: str, pointer: str
) -> None:
    """A tariff that cannot be priced is refused when it is saved, with a pointer."""
    async with api.put("/v1/tariffs/bad", json=document) as answer:
        problem = await refused(answer, 422)

    assert (problem["errors"][0]["code"], problem["errors"][0]["pointer"]) == (code, pointer)
    async with api.get("/v1/tariffs/bad") as answer:
        await refused(answer, 404)


async def test_all_faults_are_told_at_once(api: aiohttp.ClientSession) -> None:
    """A body with several faults names all of them."""
    body = {"name": 7, "timezone": "Nowhere/Else", "country": "GB", "colour": "red"}

    async with api.put("/v1/sites/home", json=body) as answer:
        problem = await refused(answer, 422)

    named = {(fault["code"], fault["pointer"]) for fault in problem["errors"]}
    assert {
        ("wrong_type", "/name"),
        ("unknown_timezone", "/timezone"),
        ("missing_field", "/currency"),
        ("unknown_field", "/colour"),
    } <= named


async def test_a_window_over_a_gap_is_refused(api: aiohttp.ClientSession) -> None:
    """A cost over a day on which no version of the tariff is in force is refused."""
    versions = tariff(
        {"valid_from": "2026-01-01", "valid_to": "2026-02-01", "charges": [FLAT]},
        {"valid_from": "2026-02-02", "charges": [FLAT]},
    )
    start = "2026-01-31T23:00:00Z"
    usage = {
        "timezone": "Europe/London",
        "interval": "PT1H",
        "channels": {"import": {"start": start, "values": [1, 1]}},
    }

    async with api.post("/v1/costs", json={"usage": usage, "tariff": versions}) as answer:
        problem = await refused(answer, 422)

    assert [(fault["code"], fault["pointer"]) for fault in problem["errors"]] == [
        ("no_version_in_force", "/start")
    ]


async def test_missing_readings_are_never_zero(api: aiohttp.ClientSession) -> None:
    """A cost over a gap is refused, and the gap is named."""
    await set_up(api, "PT1H")
    await api.post("/v1/readings", json={"readings": [READING]})
    body = {
        "meter": "main",
        "tariff": tariff({"valid_from": "2026-01-01", "charges": [FLAT]}),
        "start": "2026-03-01",
        "end": "2026-03-02",
    }

    async with api.post("/v1/costs", json=body) as answer:
        problem = await refused(answer, 422)

    assert problem["code"] == "incomplete_usage"
    assert "2026-03-01T01:00:00" in problem["errors"][0]["message"]
