"""The OpenAPI 3.1 document of typed routes, the core's and the plugins' alike."""

from collections import Counter
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from aiohttp import web

import energia
from energia.convert import unstructure
from energia.convert.schema import Schema, Schemas
from energia.errors import (
    Busy,
    DatabaseAway,
    EnergiaError,
    Forbidden,
    Invalid,
    Malformed,
    NotAcceptable,
    TimedOut,
    TooFast,
    TooLarge,
    TooSlow,
    Unauthenticated,
    UnsupportedMedia,
)
from energia.web import bodies
from energia.web.forms import FORM
from energia.web.parameters import Parameter
from energia.web.problems import Problem
from energia.web.routes import Created, Deferred, Route, Rows

#: The headings of the core's routes, each with what it is about; a plugin may use them too.
TAGS: Final[Mapping[str, str]] = {
    "Sites": "Where meters are: what decides the local time of days, and the currency.",
    "Meters": "Meters and their channels: each one quantity in one direction.",
    "Readings": "Quantities slot by slot: sent as JSON or as files, given back, summed, deleted.",
    "Registers": "Registers that are read now and then, and readings that have no slots.",
    "Tariffs": "What energy costs: documents of charges, in versions by date.",
    "Holidays": "Lists of holidays, in versions that never change: tariffs copy their dates.",
    "Prices": "Series of prices that change from slot to slot: sent, or fetched by feeds.",
    "Costs": "Usage priced under tariffs, exactly, with every line explained; nothing is stored.",
    "Contracts": "Which tariff a meter is on, from when to when, with its parameters.",
    "Bills": "Periods of contracts, priced and kept: drafted, issued, explained, corrected.",
    "Jobs": "What outlives a request: watched, cancelled, resumed, and its result fetched.",
    "Tokens": "Who may use the service, and for what.",
    "Catalogue": "What the loaded plugins offer: kinds of charge and formats of files.",
    "Service": "The service itself: its health, its metrics and this documentation.",
}
#: What a reader should know before anything else.
_INTRODUCTION: Final = """\
* **Time**: instants have an offset (`2026-03-01T00:00:00-03:00`); a date is the midnight with which
  it begins at the site; windows are half-open, `[start, end)`.
* **Numbers**: money, rates and sums are decimal strings, exact to the last digit; readings are
  numbers. In a request, either may be either.
* **Errors** are `application/problem+json` with a stable `code`, and list everything that is wrong
  at once, each with a JSON pointer to where it is.
* **Tokens**: `Authorization: Bearer <token>`, where tokens are required; every operation names the
  scopes of which a token needs one. 401 is for who is not known, 403 for who lacks a scope.
* **Jobs**: what takes long can be asked for with `Prefer: respond-async`; the answer is a job
  (202), and `GET /v1/jobs/{job}` tells how far it is, and its result.
* **Ids** are yours. `PUT` makes or replaces and may be repeated; `POST` makes, and chooses an id
  if you do not.
"""
#: How callers say who they are, and the name of that in the document.
_SCHEME: Final = "token"
_BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token that `energia token create` prints, or one that a plugin knows.",
}
#: The media types of a file that is sent as a stream.
_FILES: Final = ("text/csv", "application/x-ndjson", "application/octet-stream")
#: A form that has such a file: its other fields stand for parameters of the query.
_FORM: Final = {
    "schema": {
        "type": "object",
        "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
        "additionalProperties": {"type": "string"},
        "required": ["file"],
    }
}
#: How a client asks for a job.
_PREFER: Final[Schema] = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "`respond-async`: the answer is a job (202), which does what is asked for.",
    "example": "respond-async",
}
#: Where the parameters are that the document lists by name.
_NAMED: Final = ("path", "query")
#: What a problem document says of an input that does not fit.
_FAULTS: Final = {
    "detail": "the field is missing",
    "errors": [{"code": "missing_field", "message": "the field is missing", "pointer": "/name"}],
    "error_counts": {"missing_field": 1},
}


def document(
    routes: Iterable[Route], schemas: Schemas, error_schema: type = Problem
) -> dict[str, Any]:
    """Describe *routes*; *schemas* knows the open unions."""
    listed = in_order(routes)
    names = Counter(route.name for route in listed)
    problem = schemas.of(error_schema)
    paths: dict[str, dict[str, Schema]] = {}
    for route in listed:
        unique = route.name if names[route.name] == 1 else f"{_module(route)}_{route.name}"
        operation = _operation(route, unique, schemas, problem)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Energia",
            "version": energia.__version__,
            "summary": "Meter readings in, exact and explained costs out",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": headings(listed),
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {_SCHEME: _BEARER},
        },
    }


# The headings under which routes are.


def tag_of(route: Route) -> str:
    """Return the heading of *route*: the one it states, or the first part of its path."""
    if route.tag is not None:
        return route.tag
    parts = [part for part in route.path.split("/") if part and part != "v1"]
    return parts[0] if parts else "Service"


def in_order(routes: Iterable[Route]) -> list[Route]:
    """Return *routes* by heading: the core's in their order, then those of plugins."""
    listed = list(routes)
    tags = dict.fromkeys((*TAGS, *map(tag_of, listed)))
    places = {tag: place for place, tag in enumerate(tags)}
    return sorted(listed, key=lambda route: places[tag_of(route)])


def headings(routes: Iterable[Route]) -> list[dict[str, str]]:
    """Return the headings that *routes* have, as the document lists them."""
    return [
        {"name": tag} | ({"description": TAGS[tag]} if tag in TAGS else {})
        for tag in dict.fromkeys(map(tag_of, in_order(routes)))
    ]


# What a route takes.


def _operation(route: Route, name: str, schemas: Schemas, problem: Schema) -> Schema:
    summary, _, description = cleandoc(route.handler.__doc__ or "").partition("\n\n")
    operation: Schema = {"operationId": name, "tags": [tag_of(route)]}
    operation |= {"summary": summary} if summary else {}
    operation |= {"description": description} if description else {}
    inputs = [
        _parameter(parameter, schemas)
        for parameter in route.parameters
        if parameter.where in _NAMED
    ]
    if any(parameter.where == "prefer" for parameter in route.parameters):
        inputs.append(_PREFER)
    operation |= {"parameters": inputs} if inputs else {}
    for parameter in route.parameters:
        if parameter.where in ("body", "upload"):
            operation["requestBody"] = _request_body(route, parameter, schemas)
    operation["security"] = [{_SCHEME: [scope]} for scope in route.needs]
    operation["responses"] = _either(_answers(route, schemas), _refusals(route, problem))
    return operation


def _either(answers: dict[str, Schema], refusals: dict[str, Schema]) -> dict[str, Schema]:
    """Describe both; of a status that both have, the bodies of both."""
    for status, refusal in refusals.items():
        answer = answers.get(status, {})
        content = answer.get("content", {}) | refusal["content"]
        answers[status] = refusal | answer | {"content": content}
    return answers


def _parameter(parameter: Parameter, schemas: Schemas) -> Schema:
    schema = schemas.of(_without_none(parameter.type))
    if not parameter.required and parameter.default is not None:
        schema |= {"default": unstructure(parameter.default)}
    texts = {"description": schema.pop("description")} if "description" in schema else {}
    if parameter.required and "examples" in schema:
        # The page fills these in; what is optional stays empty, or it would be sent.
        texts["example"], *_ = schema.pop("examples")
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "schema": schema,
    } | texts


def _without_none(type_: Any) -> Any:
    """Return what a parameter may be when it is sent: there is no null in a query."""
    if get_origin(type_) in (Union, UnionType):
        return Union[tuple(each for each in get_args(type_) if each is not NoneType)]  # noqa: UP007
    return type_


def _request_body(route: Route, parameter: Parameter, schemas: Schemas) -> Schema:
    if parameter.where == "upload":
        return {"required": True, "content": {**{name: {} for name in _FILES}, FORM: _FORM}}
    content: Schema = {"schema": schemas.of(_without_none(parameter.type))}
    if route.examples:
        content["examples"] = {shows: {"value": body} for shows, body in route.examples.items()}
    return {"required": parameter.required, "content": {bodies.JSON: content}}


# What it answers.


def _answers(route: Route, schemas: Schemas) -> dict[str, Schema]:
    """Describe the answers that are not errors, by their status."""
    union = get_origin(route.returns) in (Union, UnionType)
    answers: dict[str, Schema] = {}
    members = get_args(route.returns) if union else (route.returns,)
    for member in sorted(members, key=lambda each: each is Rows):  # beside another type, its files
        status, type_ = route.status, member
        if get_origin(member) is Created:
            status, (type_,) = HTTPStatus.CREATED, get_args(member)
        elif get_origin(member) is Deferred:
            status, (type_,) = HTTPStatus.ACCEPTED, get_args(member)
        elif member is NoneType:
            status = HTTPStatus.NO_CONTENT
        answer = _answer(route, status, type_, schemas)
        content = answers.get(str(status.value), {}).get("content", {}) | answer.get("content", {})
        answers[str(status.value)] = answer | ({"content": content} if content else {})
    for status, type_ in route.answers.items():
        answers[str(status.value)] = _answer(route, status, type_, schemas)
    return answers


def _answer(route: Route, status: HTTPStatus, type_: Any, schemas: Schemas) -> Schema:
    answer: Schema = {"description": status.phrase}
    if status in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
        schema = {"schema": {"type": "string"}}
        answer["headers"] = {"Location": {"description": "Where it is found."} | schema}
    if isinstance(type_, type) and issubclass(type_, web.StreamResponse):
        answer["content"] = {name: {} for name in route.produces}
    elif type_ is Rows:
        answer["content"] = {name: {} for name in route.produces if name != bodies.JSON}
    elif type_ is not NoneType:
        schema = {"schema": schemas.of(type_)}
        answer["content"] = dict.fromkeys(route.produces, schema)
    return answer


def _refusals(route: Route, problem: Schema) -> dict[str, Schema]:
    """Describe the errors, those that the signature implies included, by their status."""
    errors: dict[int, dict[str, type[EnergiaError]]] = {}
    for error in dict.fromkeys((*_implied(route), *route.errors)):
        errors.setdefault(error.status.value, {})[error.code] = error
    return {
        str(status): {
            "description": " ".join(_said(route, error) for error in of_status.values()),
            "content": {bodies.PROBLEM: {"schema": problem, "examples": _examples(of_status)}},
        }
        for status, of_status in sorted(errors.items())
    }


def _said(route: Route, error: type[EnergiaError]) -> str:
    """Return what an error means; where a scope is missing, which."""
    if error is not Forbidden:
        return f"{error().title}."
    named = " or ".join(f"`{scope}`" for scope in dict.fromkeys((*route.needs, "admin")))
    return f"{error().title}: it takes {named}."


def _implied(route: Route) -> Iterable[type[EnergiaError]]:
    places = {parameter.where for parameter in route.parameters}
    if route.needs:
        yield from (Unauthenticated, Forbidden, DatabaseAway)
    if route.negotiates:
        yield NotAcceptable
    if "request" not in places or places & {"path", "query", "body"}:
        yield Invalid
    if places & {"body", "upload"}:
        yield from (Malformed, TooLarge, TooSlow, UnsupportedMedia, TimedOut, Busy)
    if "tenant" in places:
        yield from (DatabaseAway, TimedOut, Busy)
    if route.path.startswith("/v1/"):
        yield from (TooFast, Busy)


def _examples(errors: Mapping[str, type[EnergiaError]]) -> Schema:
    """Return a problem document of each error, by its code."""
    return {
        code: {
            "value": {
                "type": f"urn:energia:error:{code}",
                "title": error().title,
                "status": error.status.value,
                "code": code,
                "request_id": "req_4be2c1",
            }
            | (_FAULTS if error is Invalid else {})
        }
        for code, error in errors.items()
    }


def _module(route: Route) -> str:
    return route.handler.__module__.rpartition(".")[2]
