"""Errors as problem documents (RFC 9457)."""

import os
from collections.abc import Mapping
from http import HTTPStatus
from itertools import islice
from typing import Final

import attrs
from aiohttp import web

from energia.convert import dumps
from energia.errors import (
    Conflict,
    DatabaseAway,
    DatabaseError,
    EnergiaError,
    Fault,
    NotAcceptable,
    NotFound,
    UnsupportedMedia,
)
from energia.web import bodies

#: The titles of the codes that aiohttp has in common with us: a type of problem has one title,
#: whoever found it.
_TITLES: Final[Mapping[str, str]] = {
    kind.code: kind().title for kind in (NotFound, NotAcceptable, Conflict)
}


#: How to be let in, as RFC 6750 says it.
_CHALLENGES: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.UNAUTHORIZED: 'Bearer realm="energia"',
    HTTPStatus.FORBIDDEN: 'Bearer realm="energia", error="insufficient_scope"',
}


@attrs.frozen
class Problem:
    """An error, as RFC 9457 has it.

    Attributes:
        type: A URI that names the kind of error.
        title: What kind of error it is.
        status: The HTTP status.
        code: The stable name of the error.
        request_id: The id of the request, also in the log.
        detail: What went wrong this time.
        errors: What does not fit, each with a JSON pointer; the first of them if they are many.
        error_counts: How many of each code there are, those that are not listed included.

    """

    type: str
    title: str
    status: int
    code: str
    request_id: str
    detail: str | None = None
    errors: tuple[Fault, ...] | None = None
    error_counts: dict[str, int] | None = None


def new_request_id() -> str:
    """Return an id for a request that has none."""
    return f"req_{os.urandom(16).hex()}"


def of_error(error: EnergiaError, request_id: str, limit: int) -> web.Response:
    """Answer with *error*, of whose faults at most *limit* are listed."""
    response = _response(problem_of(error, request_id, limit))
    if error.status == HTTPStatus.REQUEST_TIMEOUT:
        response.force_close()  # the rest of the body may come at any time
    if error.status in _CHALLENGES:
        response.headers["WWW-Authenticate"] = _CHALLENGES[error.status]
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnsupportedMedia) and error.accept_patch is not None:
        response.headers["Accept-Patch"] = error.accept_patch
    return response


def problem_of(error: EnergiaError, request_id: str, limit: int) -> Problem:
    """Return the document that says *error*, with at most *limit* of its faults."""
    return Problem(
        type=f"urn:energia:error:{error.code}",
        title=error.title,
        status=error.status,
        code=error.code,
        request_id=request_id,
        detail=_shareable(error) or None,
        errors=tuple(islice(error.faults, limit)) or None,
        error_counts=dict(error.counts) or None,
    )


def of_http(error: web.HTTPException, request_id: str) -> web.Response:
    """Answer with an error that aiohttp found, such as 404 or 405."""
    status = HTTPStatus(error.status)
    code = status.phrase.lower().replace(" ", "_").replace("-", "_")
    title = _TITLES.get(code, status.phrase)
    problem = Problem(f"urn:energia:error:{code}", title, status, code, request_id, _detail(error))
    response = _response(problem)
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        if name in error.headers:
            response.headers[name] = error.headers[name]
    return response


def unexpected(request_id: str) -> web.Response:
    """Answer with an error about which the client learns no more than the id of its request."""
    error = EnergiaError("The error is logged with the id of the request.")
    return of_error(error, request_id, 0)


def _shareable(error: EnergiaError) -> str:
    """Return the detail for the client: not what the driver said, which names hosts and roles."""
    ours = error.__cause__ is None or not isinstance(error, DatabaseAway | DatabaseError)
    return error.detail if ours else ""


def _detail(error: web.HTTPException) -> str | None:
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"the path answers {', '.join(sorted(error.allowed_methods))}"
    if error.text and error.text != f"{error.status}: {error.reason}":
        return error.text
    return "there is no such path" if isinstance(error, web.HTTPNotFound) else None


def _response(problem: Problem) -> web.Response:
    return web.Response(body=dumps(problem), status=problem.status, content_type=bodies.PROBLEM)
