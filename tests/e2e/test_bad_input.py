"""Bad input gets a clear error that names the place, and nothing is lost or half stored."""

import gzip
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from tests.e2e.refusals import refused
from tests.e2e.test_household import set_up


def _gzipped(data: bytes) -> bytes:
    """Compress without a date: tests are called by it, and every worker must call them alike."""
    return gzip.compress(data, mtime=0)


def one(**changes: object) -> dict[str, Any]:
    """Return a body of two readings: a good one, and one with *changes*."""
    good = {"meter": "main", "start": "2026-03-01T00:00:00Z", "value": 1}
    return {"readings": [good, {**good, "start": "2026-03-01T01:00:00Z", **changes}]}


def series(**changes: object) -> dict[str, Any]:
    """Return a body with a series with *changes*."""
    good = {"meter": "main", "start": "2026-03-01T00:00:00Z", "interval": "PT1H", "values": [1]}
    return {"series": [{**good, **changes}]}


async def stored(api: aiohttp.ClientSession) -> tuple[list[float], list[Any]]:
    """Return the readings and imports that the service has."""
    query = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
    async with api.get("/v1/meters/main/readings", params=query) as answer:
        values = (await answer.json())["values"]
    async with api.get("/v1/imports") as answer:
        return [v for v in values if v is not None], (await answer.json())["items"]


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
    listed = (await stored(api))[1]
    assert [(one["import"], one["rejected"]) for one in listed] == [(outcome["import"], 1)]
    assert "problems" not in listed[0]
    async with api.get(f"/v1/imports/{outcome['import']}") as answer:
        assert len((await answer.json())["problems"]) == 1
    assert (await stored(api))[0] == [1.0]


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (b"[" * 10_000_000, {}, 413, "too_large"),
        (b'{"readings": [}', {}, 400, "malformed"),
        (b'{"readings": [{"meter": "\xff"}]}', {}, 400, "malformed"),
        (b'{"readings": [{"value": NaN}]}', {}, 400, "malformed"),
        (_gzipped(b'{"readings": []}')[:-9], {"Content-Encoding": "gzip"}, 400, "malformed"),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400, "malformed"),
        (_gzipped(b" " * 80_000_000), {"Content-Encoding": "gzip"}, 413, "too_large"),
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
