"""Parameters of a handler: where each is found in a request, and how it is read."""

import inspect
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import attrs
from aiohttp import web

from energia import convert
from energia.access.callers import Caller
from energia.convert import TEXT, Converter
from energia.convert.constraints import is_deeper
from energia.convert.faults import Faults, refusal, step
from energia.convert.fields import is_struct
from energia.convert.structures import missing
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import Fault, Invalid, Malformed, TooLarge, meant_or_known
from energia.settings import Limits
from energia.web import bodies
from energia.web.bodies import Accepted, Limit, Upload
from energia.web.forms import FORM, Form
from energia.web.keys import ACCEPTED, CALLER, CONVERSION, CORE, DIGEST
from energia.web.patches import MERGE_PATCH, MergePatch
from energia.web.preferences import Prefer
from energia.web.tenant import tenant_of
from energia.work import off_loop

Where = Literal[
    "path",
    "query",
    "body",
    "core",
    "converter",
    "tenant",
    "request",
    "upload",
    "rest",
    "accepted",
    "caller",
    "prefer",
]

#: Of so many unknown parameters it is said what they may mean, by so much of their names.
_GUESSED: Final = 20
_LONGEST: Final = 64
#: Bodies from this size are read beside the event loop, so that health keeps answering.
_LARGE: Final = 32 * 1024


class Query(dict[str, str]):
    """The query parameters that a handler does not name; without it they are faults."""


#: What a handler gets by type, not from the request's own data.
_INJECTED: Final[dict[object, Where]] = {
    Core: "core",
    Converter: "converter",
    Tenant: "tenant",
    web.Request: "request",
    Upload: "upload",
    Query: "rest",
    Accepted: "accepted",
    Caller: "caller",
    Prefer: "prefer",
}


@attrs.frozen
class Parameter:
    """One argument of a handler.

    Attributes:
        name: Its name, in Python and in the request.
        where: Where in the request it is found.
        type: Its type, with its limits.
        default: What it is when it is not sent; without one it is required.

    """

    name: str
    where: Where
    type: Any
    default: Any = attrs.NOTHING

    @property
    def required(self) -> bool:
        """Whether it must be sent."""
        return self.default is attrs.NOTHING

    @cached_property
    def of_text(self) -> Callable[[object], Any]:
        """What reads it from a path or a query; to find that out takes longer than to read."""
        return TEXT.reader(self.type)

    @cached_property
    def repeats(self) -> bool:
        """Whether it may be sent several times, as an array."""
        return any(get_origin(member) in (list, tuple) for member in _members(self.type))


def of_handler(path: str, handler: Callable[..., Awaitable[Any]]) -> tuple[Parameter, ...]:
    """Return the parameters that *handler* states; its annotations must resolve at run time."""
    hints = get_type_hints(handler, include_extras=True)
    return tuple(
        Parameter(
            name,
            _where(path, name, hints[name]),
            hints[name],
            attrs.NOTHING if stated.default is stated.empty else stated.default,
        )
        for name, stated in inspect.signature(handler).parameters.items()
    )


async def arguments(request: web.Request, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Read all *parameters* from *request*.

    A file may come in a form, whose fields are read as if they were in the query.

    Raises:
        Invalid: With all faults of the path, the query and the body.
        Malformed, UnsupportedMedia, TooLarge, TooSlow: The body cannot be read.

    """
    values: dict[str, Any] = {
        parameter.name: give(request)
        for parameter in parameters
        if (give := _GIVEN.get(parameter.where)) is not None
    }
    if len(values) == len(parameters) and not request.rel_url.raw_query_string:
        return values
    given = await _given(request, parameters)
    refused: list[tuple[str, Invalid]] = []
    for parameter in parameters:
        if parameter.where in _GIVEN:
            continue
        try:
            if parameter.where == "path":
                text = request.match_info[parameter.name]
                values[parameter.name] = parameter.of_text(text)
            else:
                values[parameter.name] = await _read(given, parameter)
        except Invalid as error:
            prefix = "" if parameter.where == "body" else f"/{parameter.where}/{parameter.name}"
            refused.append((prefix, error))
    unknown = [*_unknown(given.query, parameters)] if given.query else []
    if refused or unknown:
        faults = Faults()
        for prefix, refusing in refused:
            faults.add(refusing, prefix)
        for fault in unknown:
            faults.append(fault)
        raise refusal(faults)
    return values


def of_values(
    request: web.Request, parameters: Sequence[Parameter], values: Mapping[str, object]
) -> dict[str, Any]:
    """Return the arguments of a handler that is called within *request*, with *values* by name.

    Texts are read as in a URL, all else as JSON; what is injected may be given, too.

    Raises:
        Invalid: With all faults; those of the body have no prefix.

    """
    if unknown := values.keys() - {parameter.name for parameter in parameters}:
        raise TypeError(f"no parameter is called {', '.join(sorted(unknown))}")
    faults = Faults()
    read: dict[str, Any] = {}
    for parameter in parameters:
        try:
            read[parameter.name] = _of_value(request, parameter, values)
        except Invalid as error:
            prefix = "" if parameter.where == "body" else f"/{parameter.where}/{parameter.name}"
            faults.add(error, prefix)
    if faults.kept:
        raise refusal(faults)
    return read


def _of_value(request: web.Request, parameter: Parameter, values: Mapping[str, object]) -> object:
    given = parameter.name in values
    value = values.get(parameter.name)
    match parameter.where:
        case "path" | "query" if value is not None:
            converter = TEXT if isinstance(value, str) else request.app[CONVERSION].converter
            return converter.structure(value, parameter.type)
        case "path" | "query":
            return _from_query({}, parameter)
        case "body" if given:
            limits, converter = request.app[CORE].settings.limits, request.app[CONVERSION].converter
            data = bytearray(convert.dumps(value))
            return _structured(data, parameter.type, converter, limits)
    return value if given else _without(request, parameter)


def _without(request: web.Request, parameter: Parameter) -> object:
    """Return what an argument is that a call within *request* does not give."""
    match parameter.where:
        case "body":
            return parameter.default
        case "rest":
            return Query()
        case "accepted":
            return bodies.JSON
    return _GIVEN[parameter.where](request)


@attrs.frozen
class _Given:
    """What a client has sent.

    Attributes:
        request: The request.
        query: All that its query, and the fields of a form, say of each name.
        source: What has its file: the request, or a form.

    """

    request: web.Request
    query: Mapping[str, Sequence[str]]
    source: bodies.Source


def beside(
    request: web.Request,
    parameters: Sequence[Parameter],
    tenant: Tenant,
    path: Mapping[str, str],
) -> dict[str, Any]:
    """Return the arguments of a handler for the parts of a *path* alone, without a query.

    The path fits: another handler of it has read it.
    """
    values: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.where == "path":
            values[parameter.name] = parameter.of_text(path[parameter.name])
        elif parameter.where == "query":
            values[parameter.name] = parameter.default
        else:
            values[parameter.name] = _GIVEN[parameter.where](request)
    return values | within(parameters, tenant)


def within(parameters: Sequence[Parameter], tenant: Tenant) -> dict[str, Tenant]:
    """Return the argument of a handler that is the database, if it takes it."""
    return {parameter.name: tenant for parameter in parameters if parameter.where == "tenant"}


async def _given(request: web.Request, parameters: Sequence[Parameter]) -> _Given:
    query: dict[str, list[str]] = {}
    if request.rel_url.raw_query_string:
        for name, text in request.query.items():
            query.setdefault(name, []).append(text)
    has_upload = any(parameter.where == "upload" for parameter in parameters)
    if not has_upload or request.content_type != FORM:
        return _Given(request, query, request)
    form = await Form.opened(request, _file_limit(request))
    for name, text in form.fields:
        query.setdefault(name, []).append(text)
    if (digest := request.get(DIGEST)) is not None:
        digest.update(repr(form.fields).encode())
    return _Given(request, query, form)


def _file_limit(request: web.Request) -> Limit:
    return Limit.of(request.app[CORE].settings.limits, "import_bytes")


async def _read(given: _Given, parameter: Parameter) -> Any:
    match parameter.where:
        case "query":
            return _from_query(given.query, parameter)
        case "rest":
            return _rest(given.query)
        case "body":
            return await _body(given.request, parameter)
        case _:  # upload
            return Upload(given.source, _file_limit(given.request), given.request.get(DIGEST))


#: What depends on nothing that a client could have sent wrongly.
_GIVEN: Final[Mapping[Where, Callable[[web.Request], object]]] = {
    "core": lambda request: request.app[CORE],
    "converter": lambda request: request.app[CONVERSION].converter,
    "tenant": tenant_of,
    "accepted": lambda request: request[ACCEPTED],
    "caller": lambda request: request[CALLER],
    "prefer": Prefer.of,
    "request": lambda request: request,
}


def _from_query(query: Mapping[str, Sequence[str]], parameter: Parameter) -> Any:
    values = query.get(parameter.name, ())
    if not values:
        if parameter.required:
            message = missing("parameter", TEXT.expected(parameter.type))
            raise Invalid("", [Fault("missing_field", message)])
        return parameter.default
    if parameter.repeats:
        return parameter.of_text(list(values))
    if len(values) > 1:
        raise Invalid("", [Fault("repeated", "the parameter is sent more than once")])
    return parameter.of_text(values[0])


def _rest(query: Mapping[str, Sequence[str]]) -> Query:
    """Return the whole query; the handler knows which of it is its own."""
    faults = [
        Fault("repeated", "the parameter is sent more than once", f"/{name}")
        for name, values in query.items()
        if len(values) > 1
    ]
    if faults:
        raise Invalid("", faults)
    return Query(
        {TEXT.structure(name, str): TEXT.structure(text, str) for name, (text,) in query.items()}
    )


def _unknown(query: Iterable[str], parameters: Sequence[Parameter]) -> Iterator[Fault]:
    places = {parameter.where for parameter in parameters}
    if "rest" in places or places == {"request"}:
        return  # the handler reads the query itself, or none at all
    names = [parameter.name for parameter in parameters if parameter.where == "query"]
    for index, name in enumerate(each for each in query if each not in names):
        meant = meant_or_known(name[:_LONGEST], names) if index < _GUESSED else ""
        message = f"there is no such parameter{meant}"
        yield Fault("unknown_parameter", message, f"/query{step(name)}")


async def _body(request: web.Request, parameter: Parameter) -> Any:
    if not request.body_exists:
        if parameter.required:
            raise Malformed("a JSON body is needed")
        return parameter.default
    if get_origin(parameter.type) is MergePatch:
        bodies.check_patch(request, MERGE_PATCH)
    else:
        bodies.check_json(request)
    limits, converter = request.app[CORE].settings.limits, request.app[CONVERSION].converter
    data = await bodies.read(request, Limit.of(limits, "body_bytes"))
    if (digest := request.get(DIGEST)) is not None:
        await off_loop(digest.update, data) if len(data) >= _LARGE else digest.update(data)
    if data.startswith(BOM_UTF8):  # as some programs put it there (RFC 8259, 8.1)
        del data[: len(BOM_UTF8)]
    if len(data) < _LARGE:
        return _structured(data, parameter.type, converter, limits)
    return await off_loop(_structured, data, parameter.type, converter, limits)


def _structured(data: bytearray, type_: Any, converter: Converter, limits: Limits) -> Any:
    if get_origin(type_) is MergePatch:
        members = _structured(data, dict[str, object], converter, limits)
        return MergePatch(members, get_args(type_)[0], converter)
    if is_struct(type_):
        return convert.decode(data, type_, limits.marks)
    value = convert.parse(data, type_, limits.marks, limits.slots)
    if is_deeper(value, limits.depth):
        raise TooLarge(f"the JSON is nested deeper than limits.depth ({limits.depth})")
    return converter.structure(value, type_)


def _where(path: str, name: str, type_: Any) -> Where:
    if type_ in _INJECTED:
        return _INJECTED[type_]
    if f"{{{name}}}" in path or f"{{{name}:" in path:
        return "path"
    is_object = any(attrs.has(member) or is_struct(member) for member in _members(type_))
    return "body" if name == "body" or is_object else "query"


def _members(type_: Any) -> tuple[Any, ...]:
    """Return the types that a union is of, without their limits."""
    if get_origin(type_) is Annotated:
        return _members(get_args(type_)[0])
    if get_origin(type_) is None or get_origin(type_) in (list, tuple, dict, set, frozenset):
        return (type_,)
    return get_args(type_)
