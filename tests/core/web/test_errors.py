"""Errors as problem documents, request ids and log lines."""

import re

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from energia import convert
from energia.db.pool import Pool
from energia.errors import EnergiaError, Fault, Invalid
from energia.health.state import Phase
from energia.plugins import Plugins
from energia.settings import Database
from energia.web import problems
from energia.web.app import create_app
from tests.core.web import fakes
from tests.serving import Client, Serving, make_core

PROBLEM = "application/problem+json"


async def test_problem(client: Client) -> None:
    """An error is a problem document with a stable code and the id of the request."""
    headers = {"X-Request-Id": "my:id.1"}
    async with client.get("/v1/things/none", headers=headers) as answer:
        assert answer.status == 404
        assert answer.headers["X-Request-Id"] == "my:id.1"
        assert await answer.json(content_type=PROBLEM) == {
            "type": "urn:energia:error:not_found",
            "title": "There is no such thing",
            "status": 404,
            "code": "not_found",
            "request_id": "my:id.1",
            "detail": "there is no thing none",
        }


async def test_faults_are_limited_and_counted(client: Client) -> None:
    """At most `limits.problems` faults are listed; all are counted by code."""
    sent = {"values": ["x"] * 20, "a": 1}
    async with client.post("/v1/numbers", json=sent) as answer:
        problem = await answer.json(content_type=PROBLEM)

    assert [fault["pointer"] for fault in problem["errors"]] == [f"/values/{n}" for n in range(5)]
    assert problem["error_counts"] == {"wrong_type": 20, "unknown_field": 1}
    assert problem["detail"] == "21 faults"


@pytest.mark.parametrize("path", ["/nope", "/v1/things/a/b"])
async def test_unknown_path(client: Client, path: str) -> None:
    """A path that is none is a problem document too, with the title that its type has."""
    async with client.get(path) as answer:
        assert answer.status == 404
        assert await answer.json(content_type=PROBLEM) == {
            "type": "urn:energia:error:not_found",
            "title": "There is no such thing",
            "status": 404,
            "code": "not_found",
            "request_id": answer.headers["X-Request-Id"],
            "detail": "there is no such path",
        }


async def test_other_method(client: Client) -> None:
    """A path that does not answer a method says which ones it answers."""
    async with client.post("/v1/things/a") as answer:
        problem = await answer.json(content_type=PROBLEM)

        assert (answer.status, problem["code"]) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "DELETE,GET,HEAD,PUT"
        assert problem["detail"] == "the path answers DELETE, GET, HEAD, PUT"


def test_errors_of_handlers() -> None:
    """What a handler says in an HTTP error of its own is the detail."""
    response = problems.of_http(web.HTTPNotFound(text="there is no dashboard"), "r1")
    conflict = problems.of_http(web.HTTPConflict(), "r1")

    assert b'"detail":"there is no dashboard"' in _body(response)
    assert b'"title":"The request conflicts with what is stored"' in _body(conflict)
    assert b"detail" not in _body(conflict)


def test_an_error_of_a_plugin_gives_no_title() -> None:
    """A type of problem keeps its title, whatever classes a plugin defines with its code."""

    class Lost(EnergiaError):
        """The dashboard is lost."""

        code = "not_found"

    response = problems.of_http(web.HTTPNotFound(), "r1")

    assert b'"title":"There is no such thing"' in _body(response), Lost.__doc__


def _body(response: web.Response) -> bytes:
    assert isinstance(response.body, bytes)
    return response.body


@pytest.mark.parametrize(
    ("url", "logged"),
    [
        ("postgresql://someone@127.0.0.1:5999/books", "Connection refused"),
        ("postgresql://someone@/books?host=/nowhere/run&port=5999", "/nowhere/run/.s.PGSQL.5999"),
    ],
)
async def test_a_database_that_is_away_is_not_described(
    url: str, logged: str, serving: Serving
) -> None:
    """Where the database is, and what the driver says of it, is in the log only."""
    core = make_core(plugins=Plugins.of(fakes=fakes), pool=Pool(url, Database()))
    async with serving(core) as client:
        with capture_logs() as lines:
            async with client.get("/v1/stored", headers={"X-Request-Id": "r1"}) as answer:
                text = await answer.text()

    assert answer.status == 503
    assert re.findall("127|5999|nowhere|someone|books|detail", text) == []
    (line,) = [line for line in lines if line["event"] == "failed"]
    assert logged in line["detail"]


async def test_no_statement_before_the_migration(pool: Pool, serving: Serving) -> None:
    """While the database is migrated nothing is read from it, though it could be reached."""
    core = make_core(plugins=Plugins.of(fakes=fakes), pool=pool, phase=Phase.MIGRATING)
    async with await serving.app(create_app(core)) as client, client.get("/v1/stored") as answer:
        problem = await answer.json(content_type=PROBLEM)

        assert (answer.status, problem["code"]) == (503, "database_away")
        assert problem["detail"] == "the service is migrating"


async def test_unexpected_error(client: Client) -> None:
    """An error of ours is logged with the request's id, and tells the client nothing."""
    with capture_logs() as lines:
        async with client.get("/v1/things/broken") as answer:
            text = await answer.text()

    assert answer.status == 500
    assert "password" not in text
    (line,) = [line for line in lines if line["event"] == "unhandled"]
    assert line["log_level"] == "error"
    assert line["route"] == "/v1/things/{thing}"
    assert line["exc_info"]


async def test_a_handler_that_exits(client: Client) -> None:
    """`sys.exit` of a plugin is an error of one request, and the service answers the next."""
    with capture_logs() as lines:
        async with client.get("/v1/things/exit") as answer:
            assert answer.status == 500
        async with client.get("/v1/things/a") as answer:
            assert answer.status == 200

    (line,) = [line for line in lines if line["event"] == "unhandled"]
    assert str(line["exc_info"]) == "it calls sys.exit(3)"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ü"])
async def test_bad_request_id(client: Client, given: str) -> None:
    """An id that is not fit for a log line is replaced."""
    async with client.get("/v1/things/a", headers={"X-Request-Id": given}) as answer:
        assert answer.headers["X-Request-Id"].startswith("req_")


async def test_log_line(client: Client) -> None:
    """Each request is one line, with its route and never its path; health is quiet."""
    with capture_logs() as lines:
        async with client.get("/v1/things/UC-1"), client.get("/nope"), client.get("/health/live"):
            pass

    logged = [line for line in lines if line["event"] == "request"]
    assert [(line["route"], line["status"], line["log_level"]) for line in logged] == [
        ("/v1/things/{thing}", 200, "info"),
        ("unmatched", 404, "info"),
        ("/health/live", 200, "debug"),
    ]
    assert all(line["seconds"] > 0 for line in logged)


async def test_stream_has_headers(client: Client) -> None:
    """A streamed answer has the id of its request as well."""
    async with client.get("/v1/stream", headers={"X-Request-Id": "s1"}) as answer:
        assert answer.headers["X-Request-Id"] == "s1"
        assert await answer.text() == "a,b\n"


def test_faults_of_readings_keep_their_places() -> None:
    """The index and the values of a fault are in the document, and what is unknown is not."""
    fault = Fault("off_grid", "not on the grid", "/readings/17", index=17, sent="12:01")
    response = problems.of_error(Invalid("1 fault", [fault]), "r1", 10)
    body = response.body

    assert isinstance(body, bytes)
    parsed = convert.parse(body)
    assert isinstance(parsed, dict)
    assert parsed["errors"] == [
        {
            "code": "off_grid",
            "message": "not on the grid",
            "pointer": "/readings/17",
            "index": 17,
            "sent": "12:01",
        }
    ]
