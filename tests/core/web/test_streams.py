"""Rows as files: negotiated, compressed, and cut off when they cannot be ended."""

import asyncio
import csv
import gzip
import io
import json
from collections.abc import AsyncGenerator, AsyncIterator

import aiohttp
import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from energia.db.pool import Tenant
from energia.errors import Conflict
from energia.hookspecs import hookimpl
from energia.metering.series import BOUND, MISSING
from energia.plugins import Plugins
from energia.units import decimal_text
from energia.web.routes import Route, Routes
from energia.web.streams import (
    FILES,
    JSON,
    Accepted,
    Batch,
    Numbers,
    Rows,
    decimals,
    numbers,
    quantities,
)
from tests.serving import Client, Serving, make_core

COLUMNS = ("name", "value", "count")


class Streaming:
    """A plugin with a route that gives rows."""

    def __init__(self) -> None:
        #: How many batches were made, and whether they are closed.
        self.made, self.closed = 0, False
        self.routes = routes = Routes()
        here = self

        @routes.get("/v1/rows", produces=FILES)
        async def get_rows(
            accepted: Accepted, breaks_at: int = -1, batches: int = 2, width: int = 1
        ) -> Rows | str:
            """Return rows."""
            if accepted == JSON:
                return "JSON"
            return Rows(COLUMNS, here.batches(breaks_at, batches, width))

        @routes.get("/v1/listed", produces=("text/csv",))
        async def get_listed(accepted: Accepted, count: int) -> Rows:
            """Return rows that are at hand."""
            return Rows.listed(("n", "square"), ((n, n * n) for n in range(count)))

        @routes.get("/v1/away", produces=FILES)
        async def get_away(tenant: Tenant) -> Rows:
            """Return rows that need the database, which is away."""
            return Rows(("n",), stored(tenant))

        async def stored(tenant: Tenant) -> AsyncGenerator[Batch, None]:
            yield [await tenant.fetch(int, "select 1")]

    async def batches(
        self, breaks_at: int, batches: int, width: int
    ) -> AsyncGenerator[Batch, None]:
        """Yield batches of two rows, until one breaks; *width* makes them long."""
        try:
            for number in range(batches):
                if number == breaks_at:
                    raise Conflict("no more") if number != 3 else RuntimeError("broken")
                self.made += 1
                yield [['a,"b"' * width, None], Numbers(["0.000001", None]), [number, None]]
        finally:
            self.closed = True

    @hookimpl
    def register_routes(self) -> list[Route]:
        """Return the routes."""
        return list(self.routes)


@pytest.fixture(name="plugin")
def _plugin() -> Streaming:
    return Streaming()


@pytest.fixture(name="client")
async def _client(plugin: Streaming, serving: Serving) -> AsyncIterator[Client]:
    """Serve the plugin, without a database."""
    async with serving(make_core(plugins=Plugins.of(streaming=plugin))) as client:
        yield client


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/*", "application/json"),
        ("text/csv, */*", "text/csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("text/csv;q=0.4, application/json;q=0.5", "application/json"),
        ("text/csv, application/json", "application/json"),
        ("application/json;q=0, */*;q=0.1", "text/csv"),
        ("TEXT/CSV; q=1.0", "text/csv"),
    ],
)
async def test_the_client_chooses(client: Client, accept: str | None, media_type: str) -> None:
    """Weights decide, then the type that is named, then the order of the route: JSON first."""
    headers = {} if accept is None else {"Accept": accept}
    async with client.get("/v1/rows", headers=headers, skip_auto_headers=["Accept"]) as answer:
        assert answer.status == 200
        assert answer.content_type == media_type
        assert "Accept" in answer.headers["Vary"].split(", ")


@pytest.mark.parametrize("accept", ["text/html", "text/csv;q=0", "image/*, application/json;q=0"])
async def test_nothing_that_the_client_accepts(client: Client, accept: str) -> None:
    """A client that takes none of the types gets 406, which names them."""
    async with client.get("/v1/rows", headers={"Accept": accept}) as answer:
        problem = await answer.json(content_type="application/problem+json")

    assert (answer.status, problem["code"]) == (406, "not_acceptable")
    assert problem["detail"] == "can answer with application/json, text/csv, application/x-ndjson"


async def test_csv(client: Client, plugin: Streaming) -> None:
    """Cells are quoted where they must be; null is empty; numbers are written as they are."""
    async with client.get("/v1/rows", headers={"Accept": "text/csv"}) as answer:
        text = await answer.text()

    assert text == 'name,value,count\n"a,""b""",0.000001,0\n,,\n"a,""b""",0.000001,1\n,,\n'
    assert list(csv.reader(io.StringIO(text)))[1] == ['a,"b"', "0.000001", "0"]
    assert answer.charset == "utf-8"
    assert plugin.closed


async def test_ndjson(client: Client) -> None:
    """Each row is an object on a line of its own; decimal texts are numbers."""
    async with client.get("/v1/rows", headers={"Accept": "application/x-ndjson"}) as answer:
        lines = (await answer.text()).splitlines()

    nothing = {"name": None, "value": None, "count": None}
    assert lines[0] == '{"name":"a,\\"b\\"","value":0.000001,"count":0}'
    assert [json.loads(line) for line in lines[1:]] == [
        nothing,
        {"name": 'a,"b"', "value": 0.000001, "count": 1},
        nothing,
    ]


async def test_no_rows(client: Client) -> None:
    """A CSV file without rows has its header."""
    async with client.get("/v1/listed?count=0") as answer:
        assert await answer.text() == "n,square\n"


async def test_listed_rows(client: Client) -> None:
    """Rows that are at hand are sent in batches."""
    async with client.get("/v1/listed?count=20000") as answer:
        lines = (await answer.text()).splitlines()

    assert lines[1:] == [f"{n},{n * n}" for n in range(20_000)]


async def test_compressed_when_asked(client: Client) -> None:
    """A file is compressed by gzip for a client that takes it, and only then."""
    plain = await (await client.get("/v1/listed?count=2000")).read()
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        url = client.make_url("/v1/listed?count=2000")
        async with session.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(await answer.read()) == plain
        async with session.get(url, headers={"Accept-Encoding": "gzip;q=0"}) as answer:
            assert "Content-Encoding" not in answer.headers
            assert await answer.read() == plain


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_head(client: Client, plugin: Streaming, encoding: str) -> None:
    """HEAD tells what GET would, and the connection is good for the next request."""
    headers = {"Accept": "text/csv", "Accept-Encoding": encoding}
    head = await client.head("/v1/rows", headers=headers)
    made = plugin.made
    body = await head.read()
    get = await client.get("/v1/rows", headers=headers)
    await get.read()

    assert (head.status, body, made) == (200, b"", 1)
    for name in ("Content-Type", "Content-Encoding", "Vary"):
        assert head.headers.get(name) == get.headers.get(name)


async def test_faults_before_the_first_row(client: Client) -> None:
    """What the handler or the first batch raises is a problem document."""
    for path, status, code in (
        ("/v1/rows?breaks_at=0", 409, "conflict"),
        ("/v1/rows?breaks_at=x", 422, "invalid"),
        ("/v1/away", 503, "database_away"),
    ):
        async with client.get(path, headers={"Accept": "text/csv"}) as answer:
            problem = await answer.json(content_type="application/problem+json")
            assert (answer.status, problem["code"]) == (status, code)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("breaks_at", [1, 3])
async def test_an_error_in_the_middle_cuts_the_answer_off(
    client: Client, plugin: Streaming, breaks_at: int, encoding: str
) -> None:
    """No client takes a part for the whole: the message has no end."""
    headers = {"Accept": "text/csv", "Accept-Encoding": encoding}
    with pytest.raises(aiohttp.ClientError):
        async with client.get(
            f"/v1/rows?breaks_at={breaks_at}&batches=9", headers=headers
        ) as answer:
            assert answer.status == 200
            await answer.read()

    assert plugin.closed


async def test_a_slow_reader_slows_the_rows_down(client: Client, plugin: Streaming) -> None:
    """Rows wait for a client that does not read, and end with its connection."""
    host, port = client.server.host, client.server.port
    _, writer = await asyncio.open_connection(host, port, limit=1024)
    path = "/v1/rows?batches=1000000&width=50000"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\n\r\n".encode())
    before = -1
    while plugin.made != before:  # until the buffers of both sides are full
        before = plugin.made
        await asyncio.sleep(0.3)

    assert 0 < plugin.made < 1000
    assert not plugin.closed
    writer.close()
    async with asyncio.timeout(60):
        while not plugin.closed:
            await asyncio.sleep(0.01)


async def test_the_document_lists_the_media_types(client: Client) -> None:
    """JSON has its schema; files are texts of their types."""
    document = await (await client.get("/openapi.json")).json()
    content = document["paths"]["/v1/rows"]["get"]["responses"]["200"]["content"]

    assert content == {
        "application/json": {"schema": {"type": "string"}},
        **{
            name: {"schema": {"type": "string", "contentMediaType": name}}
            for name in ("text/csv", "application/x-ndjson")
        },
    }
    assert "406" in document["paths"]["/v1/listed"]["get"]["responses"]


#: Micro-units of every size: those that are written from tables, and the few that are not.
MICROS = st.one_of(
    st.just(MISSING),
    st.integers(-3000, 3000).map(lambda value: value * 1000),
    st.integers(-(10**9), 10**9),
    st.integers(-BOUND, BOUND),
)


@example([])
@example([MISSING])
@example([0, 9, 10, 99, 100, 999, 1000, 1001, 100_000, 10**6])
@example([10**9 - 1, 10**9, 10**9 + 10**6, 10**12 - 1, MISSING])
@example([-500_000, 10**12])
@given(st.lists(MICROS, max_size=20))
def test_numbers_are_written_as_floats_are(micros: list[int]) -> None:
    """An array of micro-units is, byte for byte, what the floats nearest to them are in JSON."""
    floats = [None if value == MISSING else value / 10**6 for value in micros]

    assert bytes(numbers(np.array(micros, np.int64))) == msgspec.json.encode(floats)


@example([])
@example([MISSING, 0, -1, 10**6, -(10**6), 5 * 10**5])
@given(st.lists(MICROS, max_size=20))
def test_quantities_are_the_shortest_decimals(micros: list[int]) -> None:
    """A column of micro-units is what each of them is by itself; None where it is missing."""
    expected = [None if value == MISSING else decimal_text(value) for value in micros]

    assert quantities(np.array(micros, np.int64)) == expected


@example([10**15 - 1, 1 - 10**15, 999_999_999_999_990])
@example([10**15, 1])
@example([-(2**63), 2**63 - 1])
@example([2**63, -(2**70)])
@example([7, -7, 10, -10, 0])
@given(
    st.lists(
        st.builds(
            lambda number, zeros: number * 10**zeros,
            st.integers(-(10**15), 10**15) | st.integers(-2000, 2000),
            st.integers(0, 8),
        ),
        max_size=20,
    )
)
def test_sums_are_the_shortest_decimals(micros: list[int]) -> None:
    """So are sums of micro-units, whatever their size: to the last digit."""
    assert decimals(micros) == [decimal_text(value) for value in micros]
