"""Typed routes over HTTP: parameters in, answers out."""

from typing import Any

import pytest

from tests.serving import Client


async def faults(client: Client, method: str, path: str, **sent: Any) -> dict[str, str]:
    """Return the code of each fault by its pointer, of a request that does not fit."""
    async with client.request(method, path, **sent) as answer:
        problem = await answer.json(content_type="application/problem+json")

        assert answer.status == 422, problem
    return {fault["pointer"]: fault["code"] for fault in problem["errors"]}


async def test_path_and_query(client: Client) -> None:
    """Parts of the path and the query arrive as the types that the handler states."""
    async with client.get("/v1/things/UC-1?since=2026-03-05&limit=7") as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        assert await answer.json() == {"name": "UC-1-7", "price": "5"}


async def test_body_created(client: Client) -> None:
    """`Created` is 201 with the place of the thing; a plain value is 200."""
    sent = {"name": "x", "price": 0.10}
    async with client.put("/v1/things/a", json=sent) as answer:
        assert answer.status == 201
        assert answer.headers["Location"] == "/v1/things/a"
        assert await answer.json() == {"name": "x", "price": "0.1"}
    async with client.put("/v1/things/a?dry=true", json=sent) as answer:
        assert answer.status == 200


async def test_none_is_no_content(client: Client) -> None:
    """A handler that returns None answers 204."""
    async with client.delete("/v1/things/a") as answer:
        assert answer.status == 204
        assert await answer.read() == b""


async def test_all_faults_of_a_request_at_once(client: Client) -> None:
    """The faults of the path, the query and the body come in one answer."""
    found = await faults(client, "PUT", "/v1/things/a%20b?dry=1&x=1", json={"price": []})

    assert found == {
        "/path/thing": "bad_pattern",
        "/query/dry": "wrong_type",
        "/query/x": "unknown_parameter",
        "/name": "missing_field",
        "/price": "wrong_type",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"/query/kind": "missing_field"}),
        ("kind=c", {"/query/kind": "unknown_value"}),
        ("kind=a&kind=b", {"/query/kind": "repeated"}),
        ("kind=a&at=1&at=x", {"/query/at/1": "wrong_type"}),
        ("kind=a&at=1&at=2&at=3", {"/query/at": "too_long"}),
        ("kind=a&%00=1", {"/query/\0": "unknown_parameter"}),
    ],
)
async def test_query_faults(client: Client, query: str, expected: dict[str, str]) -> None:
    """A missing, unknown or repeated query parameter is a fault."""
    assert await faults(client, "GET", f"/v1/choice?{query}") == expected


async def test_repeated_parameter_is_an_array(client: Client) -> None:
    """A parameter that is an array may be sent several times."""
    async with client.get("/v1/choice?kind=a&at=1&at=2") as answer:
        assert await answer.json() == {"kind": "a", "at": "[1, 2]"}


async def test_struct_body(client: Client) -> None:
    """A msgspec struct is decoded at once, and its faults are those of the strict converter."""
    async with client.post("/v1/numbers", json={"values": [1, 2.5]}) as answer:
        assert await answer.json() == {"sum": 3.5, "limit": 10_000}

    assert await faults(client, "POST", "/v1/numbers", json={"values": ["1", 2, None]}) == {
        "/values/0": "wrong_type",
        "/values/2": "wrong_type",
    }


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"],
)
async def test_json_media_types(client: Client, media_type: str) -> None:
    """JSON is JSON, also with a charset or as a structured suffix."""
    headers = {"Content-Type": media_type}
    async with client.post("/v1/things", data=b'{"name":"a"}', headers=headers) as answer:
        assert answer.status == 201


@pytest.mark.parametrize(
    "media_type", ["text/plain", "text/csv", "application/json; charset=latin-1"]
)
async def test_other_media_types(client: Client, media_type: str) -> None:
    """A body that does not say it is JSON in UTF-8 is 415."""
    headers = {"Content-Type": media_type}
    async with client.post("/v1/things", data=b'{"name":"a"}', headers=headers) as answer:
        assert answer.status == 415
        assert (await answer.json(content_type=None))["code"] == "unsupported_media"


async def test_missing_body(client: Client) -> None:
    """A body that is needed and not sent is 400; one that has a default may be left out."""
    async with client.put("/v1/things/a") as answer:
        assert answer.status == 400
    async with client.post("/v1/things") as answer:
        assert await answer.json() == {"name": "default", "price": "1"}


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/*", 200),
        ("text/html, application/json;q=0.1", 200),
        ("", 200),
        ("text/html", 406),
        ("application/json;q=0, */*", 406),
        ("application/json;q=x", 200),
    ],
)
async def test_accept(client: Client, accept: str, status: int) -> None:
    """A client that does not accept JSON gets 406."""
    async with client.get("/v1/things/a", headers={"Accept": accept}) as answer:
        assert answer.status == status


async def test_methods(client: Client) -> None:
    """405 names the methods that a path has; HEAD is one wherever GET is."""
    async with client.patch("/v1/things/a") as answer:
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(",")) == {"GET", "HEAD", "PUT", "DELETE"}
        assert (await answer.json(content_type=None))["code"] == "method_not_allowed"
    async with client.head("/v1/things/a") as answer:
        assert answer.status == 200
        assert await answer.read() == b""


async def test_compressed_when_asked(client: Client) -> None:
    """A long answer is compressed for a client that asks for it, and only then."""
    for encoding, expected in (("gzip", "gzip"), ("gzip;q=0", None), ("identity", None)):
        async with client.get("/v1/long", headers={"Accept-Encoding": encoding}) as answer:
            assert answer.headers.get("Content-Encoding") == expected
            assert len(await answer.json()) == 100


async def test_tenant_without_database(client: Client) -> None:
    """A statement while the database is away is 503 with Retry-After."""
    async with client.get("/v1/stored") as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert (await answer.json(content_type=None))["code"] == "database_away"
