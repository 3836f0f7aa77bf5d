"""What the OpenAPI document says of headers: conditions, tags, links, idempotency keys, ages."""

from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from energia.convert.schema import Schema
from energia.errors import (
    AnswerNotKept,
    EnergiaError,
    KeyInFlight,
    KeyReused,
    Malformed,
    PreconditionFailed,
)
from energia.web import bodies
from energia.web.routes import Route

_TEXT: Final[Mapping[str, Any]] = {"type": "string", "maxLength": 8000}
#: A key, with its quotes.
_SHORT: Final[Mapping[str, Any]] = {"type": "string", "minLength": 1, "maxLength": 257}
_ETAG: Final = {
    "description": "Names the answer as it is sent: a strong entity tag.",
    "schema": {"type": "string", "examples": ['"3f6c0e8f0b5b2d1d9b1f0a77"']},
}
_LINK: Final = {
    "description": 'The page after this one, `<?cursor=...>; rel="next"`, as `next` has it; '
    "relative to where this one is. The last page has none.",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH: Final = "Answers 304, without a body, if this `ETag` is that of the answer."
_IF_MATCH: Final = "The `ETag` that GET gave: 412 if it is another one by now. `*` is any."
_MAKES: Final = "`*`: only make it; 412 if it is there."
_AGE: Final = (
    "How old the answer may be: `no-cache` for all that is committed by now, `max-age=2` for all "
    "but the last two seconds. Without it, as old as `database.replica_age` allows."
)
_READ_FROM: Final = {
    "description": "Where the answer was read, where the service has a replica of its database: "
    "`primary`, or `replica;age=0.004`, which has all that was committed so many seconds ago.",
    "schema": {"type": "string", "examples": ["replica;age=0.004"]},
}
_KEY: Final = (
    "A text of your own, best a UUID, that only this request has: sent again with it, the request "
    "is answered as the first time, and nothing is made twice."
)


def is_tagged(route: Route) -> bool:
    """Tell whether answers to *route* have an entity tag: JSON that is made as a whole."""
    return route.method == "GET" and bodies.JSON in route.produces and not _answers_itself(route)


def request_headers(route: Route, guarded: Collection[str]) -> list[Schema]:
    """Return the headers that a request may have; *guarded* paths honour `If-Match`."""
    headers: dict[str, str] = {}
    if is_tagged(route):
        headers["If-None-Match"] = _IF_NONE_MATCH
    if route.method in ("PUT", "PATCH", "DELETE") and route.path in guarded:
        headers["If-Match"] = _IF_MATCH
    if route.method == "PUT" and route.path in guarded:
        headers["If-None-Match"] = _MAKES
    if route.once:
        headers["Idempotency-Key"] = _KEY
    if route.from_replica:
        headers["Cache-Control"] = _AGE
    return [
        {
            "name": name,
            "in": "header",
            "required": False,
            "schema": dict(_SHORT if name == "Idempotency-Key" else _TEXT),
            "description": text,
        }
        for name, text in headers.items()
    ]


def add_answer_headers(route: Route, answers: dict[str, Schema]) -> None:
    """Describe the headers of *answers*, and the answer that there is nothing new."""
    whole = answers.get(str(HTTPStatus.OK.value))
    if whole is None:
        return
    if route.from_replica:
        whole["headers"] = whole.get("headers", {}) | {"Energia-Read-From": _READ_FROM}
    if not (is_tagged(route) or route.method == "PATCH"):
        return
    headers: Schema = {"ETag": _ETAG}
    if any(parameter.name == "cursor" for parameter in route.parameters):
        headers["Link"] = _LINK
    whole["headers"] = whole.get("headers", {}) | headers
    if route.method == "GET":
        not_modified = {"description": "The client has it already.", "headers": {"ETag": _ETAG}}
        answers[str(HTTPStatus.NOT_MODIFIED.value)] = not_modified


def implied_errors(route: Route, guarded: Collection[str]) -> Iterable[type[EnergiaError]]:
    """Return the errors that these headers may lead to."""
    if route.once:
        yield from (Malformed, KeyInFlight, KeyReused)
    if route.once == "secret":
        yield AnswerNotKept
    is_write = route.method in ("PUT", "PATCH", "DELETE")
    if is_tagged(route) or (is_write and route.path in guarded):
        yield PreconditionFailed


def _answers_itself(route: Route) -> bool:
    """Tell whether the handler makes the response, and so its headers."""
    returns = route.returns
    return isinstance(returns, type) and issubclass(returns, web.StreamResponse)
