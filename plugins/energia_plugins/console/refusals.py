"""What a person is told where a page cannot be shown: what happened, and how to go on."""

from http import HTTPStatus
from typing import Final

import attrs
import msgspec
from aiohttp import hdrs, web

from energia_plugins.console.faults import Meaning
from energia_plugins.console.page import ForeignForm, View, marked

#: What programs, too, are told with an error.
_KEPT: Final = frozenset({hdrs.ALLOW, hdrs.RETRY_AFTER})


@attrs.frozen
class Said:
    """What a person is told, in English.

    Attributes:
        title: What happened.
        advice: How to go on.

    """

    title: str
    advice: str


_FOREIGN: Final = Said(
    marked("The form is out of date"),
    marked("Nothing was changed. Open the page again, and send the form from there."),
)
_BY_STATUS: Final = {
    HTTPStatus.FORBIDDEN: Said(
        marked("Your token does not allow this"),
        marked("Who runs this service can make you one that does."),
    ),
    HTTPStatus.NOT_FOUND: Said(
        marked("There is nothing here"),
        marked("It may have been deleted, or your token does not show it."),
    ),
    HTTPStatus.CONFLICT: Said(
        marked("This does not go together with what is stored"),
        marked("Nothing was changed."),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Said(
        marked("This is too large"),
        marked("Nothing was changed. Send less at once."),
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: Said(
        marked("This does not fit"),
        marked("Nothing was changed. Go back, and correct what is said here."),
    ),
    HTTPStatus.TOO_MANY_REQUESTS: Said(
        marked("Too much was asked at once"),
        marked("Wait a moment, and try again."),
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: Said(
        marked("The service cannot answer now"),
        marked("Try again in a moment."),
    ),
}
_ASKED_WRONG: Final = Said(
    marked("This cannot be answered"),
    marked("Go back, or begin at the overview."),
)
_FAILED: Final = Said(
    marked("Something went wrong"),
    marked("It is logged with the number below. Try again, or tell who runs this service."),
)


def said_of(status: int, code: str) -> Said:
    """Return what a person is told of an error of the API."""
    if code == ForeignForm.code:
        return _FOREIGN
    other = _ASKED_WRONG if status < HTTPStatus.INTERNAL_SERVER_ERROR else _FAILED
    return _BY_STATUS.get(HTTPStatus(status), other)


def error_page(request: web.Request, problem: web.Response) -> web.StreamResponse:
    """Return a problem document as a page that says what happened, and how to go on."""
    view, told = View.of(request), msgspec.json.decode(problem.body)  # type: ignore[arg-type]
    said = said_of(told["status"], told["code"])
    faults = told.get("errors", ())
    page = view.page(
        "error.html",
        status=problem.status,
        title=view.text(said.title),
        advice=view.text(said.advice),
        told=Meaning.of(view.words, told),
        faults=[(one.get("pointer"), Meaning.of(view.words, one)) for one in faults],
        request_id=told["request_id"],
    )
    page.headers.update({name: problem.headers[name] for name in _KEPT & problem.headers.keys()})
    return page
