"""Bad input gets a clear error that names the place, and nothing is lost or half stored."""

import gzip
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from tests.e2e.test_household import set_up
from tests.serving import make_core, serving

TARIFF = {"name": "T", "currency": "GBP", "timezone": "Europe/London"}
FLAT = {"kind": "energy.flat", "rate": "0.2"}
GAPPY = {
    "kind": "energy.time_of_use",
    "schedule": {"rules": [{"period": "day", "days": ["all"], "from": "07:00", "to": "23:59"}]},
    "rates": {"day": "0.3"},
}


@pytest.fixture(name="api")
async def _api(pool: Pool) -> AsyncIterator[aiohttp.ClientSession]:
    """Talk to a service with every bundled plugin, in this process."""
    core = make_core(plugins=Plugins.installed(), pool=pool)
    async with serving(core) as client, aiohttp.ClientSession(client.make_url("/")) as session:
        yield session


def one(**changes: object) -> dict[str, Any]:
    """Return a body of two readings: a good one, and one with *changes*."""
    good = {"meter": "main", "start": "2026-03-01T00:00:00Z", "value": 1}
    return {"readings": [good, {**good, "start": "2026-03-01T01:00:00Z", **changes}]}


def series(**changes: object) -> dict[str, Any]:
    """Return a body with a series with *changes*."""
    good = {"meter": "main", "start": "2026-03-01T00:00:00Z", "interval": "PT1H", "values": [1]}
    return {"series": [{**good, **changes}]}


def tariff(*versions: dict[str, Any]) -> dict[str, Any]:
    """Return a tariff with the given versions."""
    return {**TARIFF, "versions": list(versions)}


async def stored(api: aiohttp.ClientSession) -> tuple[list[float], list[Any]]:
    """Return the readings and imports that the service has."""
    query = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
    async with api.get("/v1/meters/main/readings", params=query) as answer:
        values = (await answer.json())["values"]
    async with api.get("/v1/imports") as answer:
        return [v for v in values if v is not None], (await answer.json())["items"]


async def refused(answer: aiohttp.ClientResponse, status: int) -> dict[str, Any]:
    """Return the problem document of an answer."""
    text = await answer.text()
    assert (answer.status, answer.content_type) == (status, "application/problem+json"), text
    problem: dict[str, Any] = json.loads(text)
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return problem


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (one(start="2026-03-01T01:00:00"), "naive_time", "/readings/1"),
        (one(meter="other"), "unknown_meter", "/readings/1"),
        (one(channel="other"), "unknown_channel", "/readings/1"),
        (one(start="2026-03-01T01:10:00Z"), "off_grid", "/readings/1"),
        (one(value="NaN"), "not_a_number", "/readings/1"),
        (one(value="Infinity"), "not_a_number", "/readings/1"),
        (one(value="1e400"), "out_of_range", "/readings/1"),
        (one(value=10**10), "out_of_range", "/readings/1"),
        (one(unit="kvarh"), "wrong_unit", "/readings/1"),
        (one(unit="kWhh"), "wrong_unit", "/readings/1"),
        (one(start="2026-03-01T00:00:00Z", value=2), "duplicate_in_request", "/readings/1"),
        (one(value=True), "wrong_type", "/readings/1"),
        (one(start="1800-01-01T00:00:00Z"), "out_of_range", "/readings/1"),
        (series(interval="PT30M"), "wrong_interval", "/series/0"),
        (series(values=["x"]), "not_a_number", "/series/0"),
        (series(colour="red"), "unknown_field", "/series/0"),
    ],
)
async def test_a_bad_reading_is_named_and_nothing_is_stored(
    api: aiohttp.ClientSession, body: dict[str, Any], code: str, pointer: str
) -> None:
    """One bad reading: the whole body is refused, with the place and a stable code."""
    await set_up(api, "PT1H")

    async with api.post("/v1/readings", json=body) as answer:
        problem = await refused(answer, 422)

    assert [fault["code"] for fault in problem["errors"]] == [code]
    assert problem["errors"][0]["pointer"].startswith(pointer)
    assert await stored(api) == ([], [])


async def test_good_readings_can_be_kept(api: aiohttp.ClientSession) -> None:
    """`on_problem=skip` stores the good readings and reports the rest."""
    await set_up(api, "PT1H")

    query = {"on_problem": "skip"}
    async with api.post("/v1/readings", params=query, json=one(meter="other")) as answer:
        outcome = await answer.json()

    assert answer.status == 200
    assert (outcome["received"], outcome["created"], outcome["rejected"]) == (2, 1, 1)
    assert outcome["unknown"] == ["other"]
    assert (await stored(api))[0] == [1.0]


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (b"[" * 10_000_000, {}, 400, "malformed"),
        (b'{"readings": [}', {}, 400, "malformed"),
        (b'{"readings": [{"meter": "\xff"}]}', {}, 400, "malformed"),
        (b'{"readings": [{"value": NaN}]}', {}, 400, "malformed"),
        (gzip.compress(b'{"readings": []}')[:-9], {"Content-Encoding": "gzip"}, 400, "malformed"),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400, "malformed"),
        (gzip.compress(b" " * 80_000_000), {"Content-Encoding": "gzip"}, 413, "too_large"),
        (b"{}", {"Content-Encoding": "br"}, 415, "unsupported_media"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media"),
        (b"", {}, 400, "malformed"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_body_that_cannot_be_read_is_refused(
    api: aiohttp.ClientSession, data: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """What is not JSON, not gzip, too large or of another type is refused as such."""
    headers = {"Content-Type": "application/json", **headers}

    async with api.post("/v1/readings", data=BytesIO(data), headers=headers) as answer:
        problem = await refused(answer, status)

    assert problem["code"] == code
    assert problem["detail"]


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
        ("missing_field", "/currency"),
        ("unknown_field", "/colour"),
    } <= named


@pytest.mark.parametrize(
    "channel", [{"kind": "register"}, {"interval": "P1D"}, {"interval": "PT2H"}]
)
async def test_what_comes_later_is_said_so(
    api: aiohttp.ClientSession, channel: dict[str, str]
) -> None:
    """Register channels and intervals above an hour are refused as not supported."""
    site = {"name": "Home", "timezone": "Europe/London", "country": "GB", "currency": "GBP"}
    await api.put("/v1/sites/home", json=site)
    base = {
        "id": "import",
        "quantity": "active_energy",
        "direction": "import",
        "unit": "kWh",
        "interval": "PT1H",
    }

    async with api.put(
        "/v1/meters/main", json={"site": "home", "channels": [{**base, **channel}]}
    ) as answer:
        problem = await refused(answer, 422)

    assert problem["code"] == "not_supported"


async def test_a_window_over_two_versions_is_refused(api: aiohttp.ClientSession) -> None:
    """A cost over two versions of a tariff is refused, and says between which."""
    versions = tariff(
        {"valid_from": "2026-01-01", "valid_to": "2026-02-01", "charges": [FLAT]},
        {"valid_from": "2026-02-01", "charges": [FLAT]},
    )
    start = "2026-01-31T23:00:00Z"
    usage = {
        "timezone": "Europe/London",
        "interval": "PT1H",
        "channels": {"import": {"start": start, "values": [1, 1]}},
    }

    async with api.post("/v1/costs", json={"usage": usage, "tariff": versions}) as answer:
        problem = await refused(answer, 422)

    assert problem["code"] == "window_crosses_versions"


async def test_missing_readings_are_never_zero(api: aiohttp.ClientSession) -> None:
    """A cost over a gap is refused, and the gap is named."""
    await set_up(api, "PT1H")
    await api.post("/v1/readings", json=one())
    body = {
        "meter": "main",
        "tariff": tariff({"valid_from": "2026-01-01", "charges": [FLAT]}),
        "start": "2026-03-01",
        "end": "2026-03-02",
    }

    async with api.post("/v1/costs", json=body) as answer:
        problem = await refused(answer, 422)

    assert problem["code"] == "incomplete_usage"
    assert "2026-03-01T02:00:00" in problem["errors"][0]["message"]
