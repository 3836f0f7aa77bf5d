"""The OpenAPI 3.1 document of typed routes, the core's and the plugins' alike."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from aiohttp import web

import energia
from energia.convert import unstructure
from energia.convert.schema import Dialogue, Schema, Schemas, without_none
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
from energia.web import bodies, streams
from energia.web.forms import FORM
from energia.web.header_docs import add_answer_headers, implied_errors, request_headers
from energia.web.parameters import Parameter
from energia.web.patches import MERGE_PATCH, MergePatch
from energia.web.problems import Problem
from energia.web.routes import Created, Deferred, Route, Rows
from energia.webhooks.events import DATA, Event

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
    "Webhooks": "Who is told of what happens: signed, at least once, and what became of it.",
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
  if you do not; `PATCH` changes what is named (a merge patch).
* **Again and at once**: a `POST` with an `Idempotency-Key` may be repeated, too. Answers have an
  `ETag`: `If-None-Match` spares you what you have, and with `If-Match` a write happens only to what
  you have seen (412 otherwise).
"""
#: How callers say who they are, and the name of that in the document.
_SCHEME: Final = "token"
_BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token that `energia token create` prints, or one that a plugin knows.",
}
_BYTES: Final = "application/octet-stream"
#: A file as the body of a request. Of its media types one is named, the one that says nothing:
#: generators of clients know it, and the format is said by a parameter.
_FILE: Final = {
    "description": "The file as it is, under any Content-Type, or as the `file` of a form.",
    "required": True,
    "content": {
        _BYTES: {"schema": {"type": "string", "format": "binary", "contentMediaType": _BYTES}},
        FORM: {
            "schema": {
                "type": "object",
                "description": "A form; its other fields stand for parameters of the query.",
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "contentMediaType": _BYTES,
                        "description": "The file.",
                    }
                },
                "additionalProperties": {"type": "string"},
                "required": ["file"],
            }
        },
    },
}
#: What stands for the parameters of a query that a handler does not name.
_REST: Final = {
    "name": "options",
    "in": "query",
    "required": False,
    "style": "form",
    "explode": True,
    "description": "Further parameters of the query, each under its own name.",
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
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
    routes: Iterable[Route], dialogue: Dialogue, error_schema: type = Problem
) -> dict[str, Any]:
    """Describe the *routes* of the API; *dialogue* knows the open unions."""
    listed = in_order(route for route in routes if route.documented)
    names = Counter(map(_name, listed))
    guarded = {route.path for route in listed if route.method == "GET" and route.holds}
    problem = dialogue.answered.of(error_schema)
    paths: dict[str, dict[str, Schema]] = {}
    for route in listed:
        name = _name(route)
        unique = name if names[name] == 1 else f"{_module(route)}_{name}"
        operation = _operation(route, unique, dialogue, problem, guarded)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    found = {
        "openapi": "3.1.0",
        "info": {
            "title": "Energia",
            "version": energia.__version__,
            "summary": "Meter readings in, exact and explained costs out",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The service that answers with this document."}],
        "tags": headings(listed),
        "paths": paths,
        "webhooks": {type_: _event(type_, dialogue.answered) for type_ in DATA},
        "components": {"securitySchemes": {_SCHEME: _BEARER}},
    }
    return dialogue.settled(found)


def _event(type_: str, schemas: Schemas) -> Schema:
    """Describe what receivers of an event are sent, and what they answer."""
    data = DATA[type_]
    summary = cleandoc(data.__doc__ or "").partition("\n\n")[0]
    generic: Any = Event
    body = {"content": {bodies.JSON: {"schema": schemas.of(generic[data])}}, "required": True}
    taken = {"description": "Taken; any other status, and it is sent again."}
    post = {
        "operationId": f"on_{type_.replace('.', '_')}",
        "summary": summary,
        "requestBody": body,
        "responses": {"2XX": taken},
    }
    return {"post": post}


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


def _operation(
    route: Route, name: str, dialogue: Dialogue, problem: Schema, guarded: Collection[str]
) -> Schema:
    summary, _, description = cleandoc(route.handler.__doc__ or "").partition("\n\n")
    operation: Schema = {"operationId": name, "tags": [tag_of(route)]}
    operation |= {"summary": summary} if summary else {}
    operation |= {"description": description} if description else {}
    inputs = [
        _parameter(parameter, dialogue.sent)
        for parameter in route.parameters
        if parameter.where in _NAMED
    ]
    if any(parameter.where == "rest" for parameter in route.parameters):
        inputs.append(_REST)
    if any(parameter.where == "prefer" for parameter in route.parameters):
        inputs.append(_PREFER)
    inputs += request_headers(route, guarded)
    operation |= {"parameters": inputs} if inputs else {}
    for parameter in route.parameters:
        if parameter.where in ("body", "upload"):
            operation["requestBody"] = _request_body(route, parameter, dialogue.sent)
    operation["security"] = [{_SCHEME: [scope]} for scope in route.needs]
    answers = _answers(route, dialogue.answered)
    add_answer_headers(route, answers)
    operation["responses"] = _either(answers, _refusals(route, problem, guarded))
    return operation


def _either(answers: dict[str, Schema], refusals: dict[str, Schema]) -> dict[str, Schema]:
    """Describe both; of a status that both have, the bodies of both."""
    for status, refusal in refusals.items():
        answer = answers.get(status, {})
        content = answer.get("content", {}) | refusal["content"]
        answers[status] = refusal | answer | {"content": content}
    return answers


def _parameter(parameter: Parameter, schemas: Schemas) -> Schema:
    schema = schemas.of(without_none(parameter.type))
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


def _request_body(route: Route, parameter: Parameter, schemas: Schemas) -> Schema:
    if parameter.where == "upload":
        return dict(_FILE)
    is_patch = get_origin(parameter.type) is MergePatch
    content: Schema = {
        "schema": _merge_patch(get_args(parameter.type)[0], schemas)
        if is_patch
        else schemas.of(without_none(parameter.type))
    }
    if route.examples:
        content["examples"] = {shows: {"value": body} for shows, body in route.examples.items()}
    media_type = MERGE_PATCH if is_patch else bodies.JSON
    return {"required": parameter.required, "content": {media_type: content}}


def _merge_patch(type_: Any, schemas: Schemas) -> Schema:
    """Describe what may change of a *type_*: any of its members, and null takes one away."""
    name = schemas.of(type_)["$ref"].rpartition("/")[2]
    whole = schemas.components[name]
    return {
        "type": "object",
        "description": f"The members of `{name}` that change, each with its new value; null takes "
        "one away, and an object changes by its members (RFC 7396).",
        "properties": {
            member: _told(schema) | {"anyOf": [_changes(schema), {"type": "null"}]}
            for member, schema in whole["properties"].items()
        },
        "additionalProperties": False,
    }


def _told(schema: Schema) -> Schema:
    return {name: schema[name] for name in ("description",) if name in schema}


def _changes(schema: Schema) -> Schema:
    """Describe a member of a merge patch: what is an object is changed in parts."""
    if schema.get("type") == "object":
        return {"type": "object"}
    return {name: part for name, part in schema.items() if name not in ("default", "description")}


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
        answer["content"] = {name: _file(name) for name in route.produces}
    elif type_ is Rows:
        answer["content"] = {name: _file(name) for name in route.produces if name != bodies.JSON}
    elif type_ is not NoneType:
        schema = {"schema": schemas.of(type_)}
        answer["content"] = dict.fromkeys(route.produces, schema)
    return answer


def _file(media_type: str) -> Schema:
    """Describe an answer that is a file: a text, or bytes."""
    is_text = media_type.startswith("text/") or media_type == streams.NDJSON
    form = {} if is_text else {"format": "binary"}
    return {"schema": {"type": "string", "contentMediaType": media_type} | form}


def _refusals(route: Route, problem: Schema, guarded: Collection[str]) -> dict[str, Schema]:
    """Describe the errors, those that the signature implies included, by their status."""
    errors: dict[int, dict[str, type[EnergiaError]]] = {}
    implied = (*_implied(route), *implied_errors(route, guarded))
    for error in dict.fromkeys((*implied, *route.errors)):
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
    if "query" in places:  # one that is too long is no HTTP to us
        yield Malformed
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


def _name(route: Route) -> str:
    """Return what an operation is called: its handler, but what a POST makes is created."""
    members = get_args(route.returns) or (route.returns,)
    makes = any(get_origin(member) is Created for member in (route.returns, *members))
    return re.sub("^post_", "create_", route.name) if makes else route.name


def _module(route: Route) -> str:
    return route.handler.__module__.rpartition(".")[2]
