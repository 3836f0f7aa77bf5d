"""Errors as problem documents (RFC 9457)."""

from http import HTTPStatus
from itertools import islice

import attrs
from aiohttp import web

from energia.convert import dumps
from energia.errors import EnergiaError, Fault
from energia.web import media


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


def of_error(error: EnergiaError, request_id: str, limit: int) -> web.Response:
    """Answer with *error*, of whose faults at most *limit* are listed."""
    problem = Problem(
        type=f"urn:energia:error:{error.code}",
        title=error.title,
        status=error.status,
        code=error.code,
        request_id=request_id,
        detail=error.detail or None,
        errors=tuple(islice(error.faults, limit)) or None,
        error_counts=dict(error.counts) or None,
    )
    response = _response(problem)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def of_http(error: web.HTTPException, request_id: str) -> web.Response:
    """Answer with an error that aiohttp found, such as 404 or 405."""
    status = HTTPStatus(error.status)
    code = status.phrase.lower().replace(" ", "_").replace("-", "_")
    response = _response(
        Problem(f"urn:energia:error:{code}", status.phrase, status, code, request_id)
    )
    for name in ("Allow", "Retry-After"):
        if name in error.headers:
            response.headers[name] = error.headers[name]
    return response


def unexpected(request_id: str) -> web.Response:
    """Answer with an error about which the client learns no more than the id of its request."""
    error = EnergiaError("The error is logged with the id of the request.")
    return of_error(error, request_id, 0)


def _response(problem: Problem) -> web.Response:
    return web.Response(body=dumps(problem), status=problem.status, content_type=media.PROBLEM)
