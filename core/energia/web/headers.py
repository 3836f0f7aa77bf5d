"""Headers about security, and what pages of other origins may do (CORS)."""

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from energia.settings import Cors

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: What every answer says, unless its handler says otherwise: an answer of the API is no page, shown
#: in no frame, loads nothing, and tells no other site where one came from.
_SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
#: The headers of answers that scripts of other origins may read, beside those that they always may.
_EXPOSED: Final = (
    "ETag, Link, Location, Retry-After, X-Request-Id, Accept-Patch, Preference-Applied, "
    "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Energia-Read-From"
)
#: What a request may ask for: no route answers any other method.
_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"


def secure(headers: MutableMapping[str, str], hsts: int = 0) -> None:
    """Give an answer the headers about security that it does not have.

    For *hsts* seconds browsers shall come by HTTPS only; not a word of that if it is 0.
    """
    for name, value in _SECURITY.items():
        headers.setdefault(name, value)
    # Data are for who asked: no cache keeps them, unless the handler knows that one may.
    if hdrs.ETAG not in headers:
        headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    if hsts:
        headers.setdefault("Strict-Transport-Security", f"max-age={hsts}")


# CORS: by default no page of another origin may read an answer.


async def cross_origin(request: web.Request, handler: Handler, cors: Cors) -> web.StreamResponse:
    """Answer browsers that ask, before a request, whether a page of another origin may send it."""
    if not cors.origins or not _asks(request):
        return await handler(request)
    response = web.Response(status=HTTPStatus.NO_CONTENT)
    if _is_allowed(request, cors):
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = _METHODS
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = ", ".join(cors.headers)
        response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(cors.max_age)
    return response


def share(request: web.BaseRequest, response: web.StreamResponse, cors: Cors) -> None:
    """Let pages of the origins that are allowed read an answer, errors included.

    Without credentials: tokens travel in a header that a page sets itself, and no cookie counts.
    """
    if not cors.origins:
        return
    everybody = "*" in cors.origins
    if not everybody:
        vary = response.headers.get(hdrs.VARY)
        response.headers[hdrs.VARY] = f"{vary}, Origin" if vary else "Origin"
    if _is_allowed(request, cors):
        origin = "*" if everybody else request.headers[hdrs.ORIGIN]
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED


def _asks(request: web.Request) -> bool:
    return hdrs.ORIGIN in request.headers and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers


def _is_allowed(request: web.BaseRequest, cors: Cors) -> bool:
    origin = request.headers.get(hdrs.ORIGIN)
    return origin is not None and ("*" in cors.origins or origin in cors.origins)
