"""What the client does besides sending requests: retries, compression, pages, errors."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from typing import Any

import httpx
import pytest
from energia_client import Energia, File, NoAnswer, ProblemError, Retries, models
from energia_client.transport import Transport

SITE = {
    "id": "casa",
    "name": "Casa",
    "timezone": "America/Sao_Paulo",
    "country": "BR",
    "currency": "BRL",
}
NEW_SITE = models.NewSite(name="Casa", timezone="America/Sao_Paulo", country="BR", currency="BRL")


def problem(status: int, code: str, **more: object) -> dict[str, object]:
    """Return a problem document."""
    known = {"type": "about:blank", "title": "Wrong", "request_id": "req_1"}
    return {**known, "status": status, "code": code, **more}


AWAY = httpx.Response(503, json=problem(503, "database_away"))
FOUND = httpx.Response(200, json=SITE)


class Service(httpx.BaseTransport):
    """A service that gives answers in turn, or breaks connections off."""

    def __init__(self, *answers: httpx.Response | httpx.TransportError) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Keep the request, and give the next answer."""
        self.requests.append(request)
        self.bodies.append(request.read())
        answer = self.answers.pop(0)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def later(seconds: str) -> httpx.Response:
    """Return the answer of a busy service."""
    headers = {"Retry-After": seconds}
    return httpx.Response(429, json=problem(429, "too_fast"), headers=headers)


def waits(service: Service, request: httpx.Request, retries: Retries) -> list[float]:
    """Send a request, and return how long is waited before each repetition."""
    waited: list[float] = []
    Transport(service, retries, 10_000, waited.append).handle_request(request)
    return waited


def get() -> httpx.Request:
    """Return a request that may be sent twice."""
    return httpx.Request("GET", "http://energia/v1/sites")


def test_the_service_says_when() -> None:
    """`Retry-After` is kept, as seconds or as a date; but nobody waits longer than asked for."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=1000), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=1000), usegmt=True)
    service = Service(later("2"), later(date), later(past), FOUND)

    assert waits(service, get(), Retries(longest=30)) == [2, 30, 0]


def test_without_a_word_the_pauses_grow() -> None:
    """Twice as long each time, and a bit uneven, so that clients do not come back together."""
    broken = httpx.ConnectError("refused")
    service = Service(AWAY, broken, later("soon"), FOUND)

    first, second, third = waits(service, get(), Retries(first=1))

    assert 0.75 <= first <= 1.25
    assert 1.5 <= second <= 2.5
    assert 3 <= third <= 5


def test_enough_is_enough() -> None:
    """After the last repetition the error is that of the service, or of the connection."""
    retries = Retries(most=2, first=0)
    away, broken = Service(AWAY, AWAY, AWAY), Service(*[httpx.ReadError("reset")] * 3)

    with pytest.raises(ProblemError) as raised:
        Energia("http://energia", retries=retries, transport=away).get_site("casa")
    with pytest.raises(httpx.ReadError):
        Energia("http://energia", retries=retries, transport=broken).get_site("casa")

    assert (raised.value.status, raised.value.code) == (503, "database_away")
    assert (len(away.requests), len(broken.requests)) == (3, 3)


@pytest.mark.parametrize(
    ("method", "headers", "times"),
    [
        ("PUT", {}, 2),
        ("DELETE", {}, 2),
        ("POST", {}, 1),
        ("PATCH", {}, 1),
        ("POST", {"Idempotency-Key": "k"}, 2),
    ],
)
def test_only_what_may_be_sent_twice_is(method: str, headers: dict[str, str], times: int) -> None:
    """A POST could make two things, unless it has a key."""
    service = Service(AWAY, FOUND)
    request = httpx.Request(method, "http://energia/v1/sites", headers=headers, content=b"{}")

    Transport(service, Retries(), 10_000, lambda _: None).handle_request(request)

    assert service.bodies == [b"{}"] * times


def test_big_bodies_are_compressed() -> None:
    """Small ones are not worth it."""
    service = Service(FOUND, FOUND)
    energia = Energia("http://energia", gzip_from=200, transport=service)
    big = models.NewSite(name="a" * 200, timezone="UTC", country="BR", currency="BRL")

    energia.create_site(body=NEW_SITE)
    energia.create_site(body=big)

    small, large = service.requests
    assert "Content-Encoding" not in small.headers
    assert large.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(service.bodies[1])) == big.to_dict()
    assert int(large.headers["Content-Length"]) == len(service.bodies[1])


def test_files_are_compressed_while_they_are_sent() -> None:
    """A file may be larger than the memory."""
    outcome: dict[str, Any] = dict.fromkeys(
        (
            *("received", "created", "unchanged", "corrected"),
            *("repeated", "superseded", "missing", "rejected"),
        ),
        0,
    )
    outcome |= {"id": "imp_1", "import": "imp_1"}
    outcome |= {"meters": [], "unknown": [], "problems": [], "made": []}
    service = Service(httpx.Response(200, json=outcome))
    energia = Energia("http://energia", gzip_from=1000, transport=service)
    rows = b"2026-03-02T00:00:00Z,0.5\n" * 1000

    energia.import_file(format_="csv", body=File(payload=BytesIO(rows)))

    (sent,) = service.requests
    assert sent.headers["Content-Encoding"] == "gzip"
    assert "Content-Length" not in sent.headers or int(sent.headers["Content-Length"]) < len(rows)
    assert gzip.decompress(service.bodies[0]) == rows


def test_lists_are_iterators() -> None:
    """The next page is asked for when the one before it is through."""
    pages = [
        httpx.Response(200, json={"items": [{**SITE, "id": "a"}], "next": "cursor-1"}),
        httpx.Response(200, json={"items": [{**SITE, "id": "b"}], "next": None}),
    ]
    service = Service(*pages)
    sites: Iterator[models.Site] = Energia("http://energia", transport=service).list_sites(limit=1)

    assert next(sites).id == "a"
    assert len(service.requests) == 1
    assert [site.id for site in sites] == ["b"]
    assert service.requests[1].url.params["cursor"] == "cursor-1"


def test_errors_are_exceptions() -> None:
    """With the stable code, and with each fault and its place."""
    fault = {"code": "missing_field", "message": "the field is missing", "pointer": "/name"}
    wrong = problem(422, "invalid", detail="1 fault", errors=[fault])
    service = Service(httpx.Response(422, json=wrong), httpx.Response(404, json=problem(404, "no")))
    energia = Energia("http://energia", transport=service)

    with pytest.raises(ProblemError, match="/name: the field is missing") as raised:
        energia.create_site(body=NEW_SITE)
    with pytest.raises(ProblemError, match="404 no"):
        energia.delete_site("casa")

    assert raised.value.code == "invalid"
    assert [(one.pointer, one.code) for one in raised.value.errors] == [("/name", "missing_field")]


def test_an_answer_of_somebody_else() -> None:
    """A proxy's own page is no answer."""
    service = Service(httpx.Response(502, text="Bad gateway"))

    with pytest.raises(NoAnswer):
        Energia("http://energia", transport=service).get_site("casa")


def test_the_token_is_sent() -> None:
    """In every request; nothing is sent where there is none."""
    service = Service(FOUND, FOUND)

    with Energia("http://energia", "energia_1", transport=service) as energia:
        energia.get_site("casa")
    with Energia("http://energia", transport=service) as energia:
        energia.get_site("casa")

    first, second = service.requests
    assert first.headers["Authorization"] == "Bearer energia_1"
    assert "Authorization" not in second.headers
