"""Bodies of requests: encodings and limits."""

import asyncio
import gzip
import socket
from typing import Any

import pytest

from tests.serving import Client

GZIP = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
BODY = b'{"name":"a"}'
#: Without a date: tests are called by it, and every worker must call them alike.
GZIPPED = gzip.compress(BODY, mtime=0)


async def refused(client: Client, path: str, **sent: Any) -> tuple[int, str]:
    """Return the status and the detail of a refusal."""
    async with client.post(path, **sent) as answer:
        problem = await answer.json(content_type="application/problem+json")
        return answer.status, problem["detail"]


async def test_gzip(client: Client) -> None:
    """A compressed body is inflated, in one member or several, zeros after them left out."""
    members = gzip.compress(BODY[:5]) + bytes(3) + gzip.compress(BODY[5:])
    for data in (GZIPPED, members, GZIPPED + bytes(512)):
        async with client.post("/v1/things", data=data, headers=GZIP) as answer:
            assert answer.status == 201
            assert (await answer.json())["name"] == "a"


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (GZIPPED[:-3], "the gzip body is truncated"),
        (GZIPPED[:12], "the gzip body is truncated"),
        (GZIPPED + b"\x1f", "the gzip body is truncated"),
        (b"not gzip", "the gzip body is corrupt"),
        (GZIPPED[:-8] + bytes(8), "the gzip body is corrupt"),
        (GZIPPED + b"rest", "the gzip body is corrupt"),
    ],
)
async def test_bad_gzip(client: Client, data: bytes, detail: str) -> None:
    """A truncated or corrupt body is 400 and says so."""
    assert await refused(client, "/v1/things", data=data, headers=GZIP) == (400, detail)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip"])
async def test_unknown_encoding(client: Client, encoding: str) -> None:
    """An encoding that is not supported is 415 and named."""
    headers = GZIP | {"Content-Encoding": encoding}
    status, detail = await refused(client, "/v1/things", data=BODY, headers=headers)

    assert status == 415
    assert repr(encoding) in detail


@pytest.mark.parametrize(
    ("path", "size", "limit"),
    [
        ("/v1/things", 10_001, "limits.body_bytes (10000 bytes)"),
        ("/v1/numbers", 50_000, "limits.body_bytes (10000 bytes)"),
        ("/v1/files", 20_001, "limits.import_bytes (20000 bytes)"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
async def test_limits(client: Client, path: str, size: int, limit: str, compressed: bool) -> None:
    """A body over its limit, before or after inflation, is 413 and names the limit."""
    data = b" " * size
    headers = GZIP if compressed else {"Content-Type": "application/json"}
    sent = gzip.compress(data) if compressed else data

    assert await refused(client, path, data=sent, headers=headers) == (
        413,
        f"the body is over {limit}",
    )


async def test_bomb(client: Client) -> None:
    """A small body that inflates to a gigabyte is refused after a few steps."""
    bomb = gzip.compress(bytes(100_000_000))
    status, _ = await refused(client, "/v1/files", data=bomb, headers=GZIP)

    assert status == 413


async def test_chunked_body_over_the_limit(client: Client) -> None:
    """A body without a length is counted as it comes."""

    async def endless() -> Any:
        for _ in range(100):
            yield b" " * 1000

    headers = {"Content-Type": "application/json"}
    status, _ = await refused(client, "/v1/things", data=endless(), headers=headers)

    assert status == 413


async def test_just_within_the_limit(client: Client) -> None:
    """A body of exactly the limit is accepted."""
    data = BODY.ljust(10_000)
    async with client.post("/v1/things", data=gzip.compress(data), headers=GZIP) as answer:
        assert answer.status == 201


@pytest.mark.parametrize(
    "data", [b"[" * 50, b"NaN", b'{"name": 1e}', b'{"name": "\xff"}', b'{"name":"\\u0000"}']
)
async def test_malformed(client: Client, data: bytes) -> None:
    """What is not JSON is 400."""
    headers = {"Content-Type": "application/json"}
    status, detail = await refused(client, "/v1/things", data=data, headers=headers)

    assert status == 400
    assert detail


async def test_byte_order_mark(client: Client) -> None:
    """A mark before JSON, as some programs write it, is passed over; a second one is not."""
    headers = {"Content-Type": "application/json"}
    async with client.post("/v1/things", data=b"\xef\xbb\xbf" + BODY, headers=headers) as answer:
        assert answer.status == 201
    data = b"\xef\xbb\xbf" * 2 + BODY
    assert (await refused(client, "/v1/things", data=data, headers=headers))[0] == 400


async def test_upload(client: Client) -> None:
    """A file is streamed, of any type, inflated; the query is the handler's own."""
    data = b"x" * 20_000
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/csv"}
    async with client.post(
        "/v1/files?delimiter=;", data=gzip.compress(data), headers=headers
    ) as answer:
        assert await answer.json() == {"size": "20000", "type": "text/csv", "delimiter": ";"}
    async with client.post("/v1/blocking", data=data) as answer:
        assert await answer.json() == {"size": 20_000}


async def test_expect_continue(client: Client) -> None:
    """A client that waits for 100 Continue gets it."""
    async with client.post("/v1/things", json={"name": "a"}, expect100=True) as answer:
        assert answer.status == 201


async def test_client_that_leaves(client: Client) -> None:
    """A client that breaks off in the middle of its body harms nobody."""
    with socket.create_connection((str(client.host), client.port)) as connection:
        connection.sendall(
            b"POST /v1/things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        await asyncio.sleep(0.05)
    async with client.get("/v1/things/a") as answer:
        assert answer.status == 200
