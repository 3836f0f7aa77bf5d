"""Files that come in a form: its fields, its file, and what is no such form."""

import asyncio
import gzip
import socket
from typing import Any

import pytest
from aiohttp import FormData

from tests.serving import Client

TYPE = {"Content-Type": "multipart/form-data; boundary=XX"}
FIELD = '--XX\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
FILE = '--XX\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n{}\r\n{}\r\n'
END = "--XX--\r\n"


async def answered(client: Client, *parts: str, path: str = "/v1/files") -> tuple[int, Any]:
    """Send the parts of a form, and return the status and the answer."""
    async with client.post(path, data="".join(parts).encode(), headers=TYPE) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_form_as_clients_send_it(client: Client) -> None:
    """The fields stand for the query, and the file for the body, with its own type."""
    form = FormData({"delimiter": ";"})
    form.add_field("file", b"x" * 20_000, filename="a.csv", content_type="text/csv")
    async with client.post("/v1/files?decimal=,", data=form) as answer:
        assert await answer.json() == {
            "size": "20000",
            "type": "text/csv",
            "delimiter": ";",
            "decimal": ",",
        }


async def test_a_file_for_a_thread(client: Client) -> None:
    """What waits in a temporary file is the file alone, whatever is in it."""
    text = "a\r\n--X\r\n-\r\n" * 1000
    assert await answered(client, FILE.format("", text), END, path="/v1/blocking") == (
        200,
        {"size": len(text)},
    )


@pytest.mark.parametrize(
    "stated", ["Content-Encoding: gzip\r\n", "Content-Type: application/gzip\r\n"]
)
async def test_a_compressed_file(client: Client, stated: str) -> None:
    """A file that says that it is compressed is inflated, within the limits."""
    head, tail = FILE.format(stated, "|").split("|")
    data = head.encode() + gzip.compress(b"x" * 1000) + tail.encode() + END.encode()
    async with client.post("/v1/blocking", data=data, headers=TYPE) as answer:
        assert await answer.json() == {"size": 1000}


async def test_a_file_over_the_limit(client: Client) -> None:
    """The file is limited as one that is the body."""
    status, problem = await answered(client, FILE.format("", "x" * 20_001), END)

    assert (status, problem["detail"]) == (
        413,
        "the body is over limits.import_bytes (20000 bytes)",
    )


@pytest.mark.parametrize(
    ("parts", "status", "told"),
    [
        ([END], 422, "no file"),
        ([FIELD.format("file", "start,value"), END], 422, "no file"),
        ([FILE.format("", "a"), FILE.format("", "b"), END], 422, "a second file"),
        ([FILE.format("", "a"), FIELD.format("meter", "m"), END], 422, "field 'meter' comes after"),
        ([FIELD.format("a", "b"), FIELD.format("a", "c"), FILE.format("", "x"), END], 422, "once"),
        ([FIELD.format("a", "b" * 20_000), FILE.format("", "x"), END], 422, "over 16384 bytes"),
        ([FIELD.format("a", "b")] * 101 + [FILE.format("", "x"), END], 422, "100 fields"),
        (["start,value\r\n"], 400, "not a form"),
        ([FILE.format("", "a")], 400, "not a form"),
        ([FILE.format("Content-Transfer-Encoding: base64\r\n", "YQ=="), END], 415, "base64"),
        ([FILE.format("Content-Type: multipart/mixed; boundary=Y\r\n", "a"), END], 400, "in it"),
    ],
)
async def test_what_is_refused(client: Client, parts: list[str], status: int, told: str) -> None:
    """What is no form of one file, after its fields, is refused, and says why."""
    found, problem = await answered(client, *parts)

    assert found == status
    assert told in problem["detail"]


async def test_a_form_without_a_boundary(client: Client) -> None:
    """A type that does not say where parts end is refused."""
    async with client.post(
        "/v1/files", data=b"a", headers={"Content-Type": "multipart/form-data"}
    ) as answer:
        assert answer.status == 400


async def test_a_form_that_is_compressed(client: Client) -> None:
    """A form as a whole is not inflated."""
    headers = TYPE | {"Content-Encoding": "gzip"}
    async with client.post("/v1/files", data=gzip.compress(b"a"), headers=headers) as answer:
        assert answer.status == 415


async def test_wrong_fields_are_told_before_the_file_has_come(client: Client) -> None:
    """A field that comes twice is answered while the file is still on its way."""
    head = (FIELD.format("a", "b") * 2 + FILE.format("", "x" * 50_000)).encode()
    with socket.create_connection((str(client.host), client.port)) as connection:
        connection.sendall(
            b"POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"
            b"Content-Type: multipart/form-data; boundary=XX\r\n\r\n" + head
        )
        connection.settimeout(5)
        assert b" 422 " in await asyncio.to_thread(connection.recv, 100)
