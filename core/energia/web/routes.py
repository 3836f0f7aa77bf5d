"""Typed routes: a handler's signature is its contract and its documentation.

A parameter of a handler is, in this order: what its type asks for (`Core`, `Tenant`, `Converter`,
`Caller`, `Upload`, `Query`, `Accepted`, `Prefer`, `web.Request`), a part of the path that has its
name, the JSON body if it is called `body` or is an attrs class or a msgspec struct, and else a
query parameter, optional if it has a default.

`PATCH` takes a `MergePatch` (`energia.web.patches`). A handler that answers GET may say what holds
its row (`Route.holds`): then PUT, PATCH and DELETE of the same path honour `If-Match`, within one
transaction. One that answers POST may say that it honours an `Idempotency-Key` (`Route.once`).

A handler returns a value (200, JSON), `Created(location, value)` (201), `Deferred(location, job)`
(202), None (204), `Rows` (a file: `energia.web.streams`) or any response of aiohttp. Errors of
`energia.errors` become problem documents; `errors` of a route documents those that the signature
does not imply.

`Routes(tag="Weather")` puts its routes under one heading of the documentation; without a tag the
heading is the first part of the path.

Who may use a route is said by its `scopes`, or by `reads` and `writes` of its `Routes`; one that
says nothing is for `admin` alone, where tokens are required.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property, partial
from http import HTTPStatus
from itertools import islice
from threading import Lock
from types import MappingProxyType, NoneType
from typing import Any, Final, Generic, TypeVar, get_type_hints

import attrs
import msgspec
from aiohttp import hdrs, web

from energia.access.callers import Scope
from energia.db.holds import one_by_one
from energia.db.tenant import Queries, Tenant, persistent
from energia.errors import (
    DatabaseAway,
    DatabaseError,
    EnergiaError,
    NotFound,
    PluginError,
    PreconditionFailed,
    StatementTimeout,
)
from energia.idempotency.keys import Key
from energia.web import bodies, idempotency, parameters, streams
from energia.web.bodies import Accepted, Upload
from energia.web.idempotency import Once
from energia.web.keys import ACCEPTED, CONVERSION, CORE, DIGEST
from energia.web.parameters import Parameter, Query
from energia.web.patches import MergePatch
from energia.web.representations import Preconditions, tag_of, tagged
from energia.web.streams import Rows
from energia.web.tenant import on_replica, replica_failed, tenant_of
from energia.work import off_loop

__all__ = [
    "PUBLIC",
    "Accepted",
    "Created",
    "Deferred",
    "MergePatch",
    "Query",
    "Route",
    "Routes",
    "RoutesBelow",
    "Rows",
    "Upload",
]

T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])
#: Holds the row with an id, until the transaction ends, against whoever would write it.
Hold = Callable[[Queries, str], Awaitable[object]]

#: The scopes of a route that everybody may use.
PUBLIC: Final[tuple[Scope, ...]] = ()
#: What may be done again when a deadlock has undone it (RFC 9110, 9.2.2).
IDEMPOTENT: Final = frozenset({"GET", "PUT", "DELETE"})
#: What writes what a path names, so that a condition on that makes sense.
_WRITES: Final = frozenset({"PUT", "PATCH", "DELETE"})
#: What is answered with the thing as it is now. (Of PUT no answer has a tag: RFC 9110, 9.3.4.)
_TAGGED: Final = frozenset({"GET", "HEAD", "PATCH"})
_NONE: Final[Mapping[Any, Any]] = MappingProxyType({})
#: An answer of so many values is written beside the event loop: it takes about a millisecond.
_MANY: Final = 10_000
#: So many times as long takes what is no struct: it is made of dictionaries first.
_SLOWER: Final = 10
#: What has no parts.
_SCALARS: Final = frozenset({str, int, float, bool, Decimal, datetime, NoneType, msgspec.Raw})


@attrs.frozen
class Created(Generic[T]):
    """A thing was made: 201.

    Attributes:
        location: The path where it is found.
        value: The thing.

    """

    location: str
    value: T


@attrs.frozen
class Deferred(Generic[T]):
    """A job was begun, which does what was asked for: 202.

    Attributes:
        location: The path where the job is found.
        value: The job.

    """

    location: str
    value: T


@attrs.frozen(eq=False)
class Route:
    """A handler, and all that its signature says.

    Attributes:
        method: The HTTP method.
        path: The path, with `{names}`.
        handler: Takes typed arguments and returns a typed value.
        status: The status of an ordinary answer.
        errors: Errors to document, besides those that the signature implies.
        produces: The media types it may answer with; a request must accept one of them, if JSON is
            among them or the handler asks for what is `Accepted`.
        tag: The heading of the documentation under which it is; the first part of the path without.
        examples: Bodies that it takes, by what each shows.
        scopes: Who may use it: whoever has any of them. Empty: everybody, no token is looked at;
            None: it is not stated, and only `admin` may.
        answers: Answers of other statuses that are not errors of `energia.errors`: their types.
        holds: Of GET: holds the row that it reads, which others of its path write.
        once: Of POST: that it honours an Idempotency-Key, and how its answer is kept then.
        documented: Whether it is part of the API; a page for people is not.
        returns: The type of the answer; by default what the handler returns.
        from_replica: Of GET: whether a replica of the database may answer it.
        parameters: Its arguments.

    """

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    status: HTTPStatus = HTTPStatus.OK
    errors: tuple[type[EnergiaError], ...] = ()
    produces: tuple[str, ...] = (bodies.JSON,)
    tag: str | None = None
    examples: Mapping[str, object] = _NONE
    answers: Mapping[HTTPStatus, Any] = _NONE
    scopes: tuple[Scope, ...] | None = None
    holds: Hold | None = None
    once: Once | None = None
    returns: Any = attrs.field()
    documented: bool = True
    from_replica: bool = False
    parameters: tuple[Parameter, ...] = attrs.field(init=False)

    @parameters.default
    def _of_handler(self) -> tuple[Parameter, ...]:
        return parameters.of_handler(self.path, self.handler)

    @returns.default
    def _of_annotation(self) -> Any:
        return get_type_hints(self.handler, include_extras=True)["return"]

    # What every request asks is worked out once.

    @cached_property
    def name(self) -> str:
        """The name of the handler."""
        return getattr(self.handler, "__name__", type(self.handler).__name__)

    @cached_property
    def needs(self) -> tuple[Scope, ...]:
        """The scopes of which a caller needs one, as errors name them; none where it is public."""
        return ("admin",) if self.scopes is None else self.scopes

    @cached_property
    def is_counted(self) -> bool:
        """Whether the limits of callers are for it: the API, and pages, which ask the same."""
        # What anybody may send to a page is, too, such as a token to sign in with; no file of one.
        is_page = not self.documented and bool(self.needs or self.method != "GET")
        return is_page or self.path.startswith("/v1/")

    @cached_property
    def negotiates(self) -> bool:
        """Whether a request must accept one of the types that it produces."""
        chooses = any(parameter.where == "accepted" for parameter in self.parameters)
        return chooses or bodies.JSON in self.produces

    @cached_property
    def _is_plain(self) -> bool:
        """Whether it shows everybody something that it makes of the request itself, as health."""
        takes = [parameter.where for parameter in self.parameters]
        shows = self.method == "GET" and not self.needs
        return shows and takes == ["request"] and not self.negotiates

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer *request*; raises the errors of `energia.errors`."""
        if self._is_plain:
            # There is nothing to read, and nothing that is done again.
            result = await self.handler(**{self.parameters[0].name: request})
            if isinstance(result, web.StreamResponse):
                return result
            return await self._answer(request, result)
        replica = request.app[CORE].replica
        is_public = self.method == "GET" and not self.needs
        if replica is None or self.from_replica or is_public:
            return await self._answered(request)
        try:
            return await self._answered(request)
        finally:
            # What was written, or seen to be done, is in all that is read after this answer.
            replica.must_have_all()

    async def _answered(self, request: web.Request) -> web.StreamResponse:
        if self.negotiates:
            request[ACCEPTED] = bodies.accepted(request, self.produces)
            bodies.check_encoding(request)
        text = idempotency.key_of(request) if self.once else None
        if text is not None:
            request[DIGEST] = idempotency.digest_of(request)
        arguments = await parameters.arguments(request, self.parameters)
        if self.once and text is not None:
            key, said = Key.of(tenant_of(request), text), request[DIGEST]
            work = partial(self._done_in, request, arguments)
            file = next((it for it in arguments.values() if isinstance(it, Upload)), None)
            retention = request.app[CORE].settings.idempotency.retention
            return await idempotency.answered_once(
                key, retention=retention, said=said, once=self.once, work=work, file=file
            )
        if self.method == "PATCH" or (self.method in _WRITES and Preconditions.of(request).stated):
            return await persistent(lambda: self._conditional(request, arguments))
        if self.method in IDEMPOTENT:
            result = await persistent(lambda: self._read(request, arguments))
        else:
            result = await self.handler(**arguments)
        if isinstance(result, web.StreamResponse):
            return result
        if isinstance(result, Rows):
            return await streams.respond(request, result, request[ACCEPTED])
        return await self._answer(request, result)

    async def _read(self, request: web.Request, arguments: Mapping[str, Any]) -> object:
        """Do what is asked, from a replica if that may answer; the primary where that fails."""
        if not self.from_replica:
            return await self.handler(**arguments)
        replica_tenant = await on_replica(request, tenant_of(request))
        if replica_tenant is None:
            return await self.handler(**arguments)
        try:
            there = parameters.within(self.parameters, replica_tenant)
            return await self.handler(**{**arguments, **there})
        except StatementTimeout:
            raise
        except (DatabaseAway, DatabaseError) as error:
            # It is gone, or replays what removes the rows that were being read.
            replica_failed(request, error)
            return await self.handler(**arguments)

    async def _done_in(
        self, request: web.Request, arguments: Mapping[str, Any], tenant: Tenant
    ) -> web.Response:
        """Answer by *tenant*, with the arguments that were read."""
        result = await self.handler(**{**arguments, **parameters.within(self.parameters, tenant)})
        return await self._answer(request, result)

    async def _conditional(
        self, request: web.Request, arguments: Mapping[str, Any]
    ) -> web.StreamResponse:
        """Write if what there is is what the request says: nobody else writes it meanwhile."""
        preconditions, resource = Preconditions.of(request), _resource(request)
        async with tenant_of(request).whole() as whole:
            if resource is not None:
                await one_by_one(whole, f"{whole.organization} {request.path}")
                preconditions.refuse(await resource.current_tag(request, whole))
            elif preconditions.stated:
                raise PreconditionFailed("nothing here has an entity tag")
            arguments = {**arguments, **parameters.within(self.parameters, whole)}
            result = await self.handler(**arguments)
            if preconditions.makes_only and not isinstance(result, Created):
                raise PreconditionFailed("If-None-Match: another request has made it meanwhile")
            if isinstance(result, web.StreamResponse):
                return result
            return await self._answer(request, result)

    async def current_tag(
        self, request: web.Request, tenant: Tenant, path: Mapping[str, str] | None = None
    ) -> str | None:
        """Return the entity tag of what GET of a path would answer; None where there is nothing.

        It is held until the transaction of *tenant* ends. The path is that of *request*, unless its
        parts are given.
        """
        assert self.holds is not None
        path = request.match_info if path is None else path
        for parameter in self.parameters:
            if parameter.where == "path":
                await self.holds(tenant, path[parameter.name])
        arguments = parameters.beside(request, self.parameters, tenant, path)
        try:
            value = await self.handler(**arguments)
        except NotFound:
            return None
        return tag_of(await _written(request, value), bodies.JSON)

    async def _answer(self, request: web.Request, result: object) -> web.Response:
        status, headers = self.status, {}
        if isinstance(result, Created):
            status, headers = HTTPStatus.CREATED, {"Location": result.location}
            result = result.value
        elif isinstance(result, Deferred):
            status, headers = HTTPStatus.ACCEPTED, {"Location": result.location}
            headers["Preference-Applied"] = "respond-async"
            result = result.value
        if result is None:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        if len(self.produces) > 1:
            headers["Vary"] = "Accept"
        if (after := getattr(result, "next", None)) is not None and self._is_paged:
            # Of the query alone: whatever is before the path of a proxy, it is there as well.
            query = request.rel_url.update_query({"cursor": after}).raw_query_string
            headers["Link"] = f'<?{query}>; rel="next"'
        response = await json_response(request, result, status, headers)
        return tagged(request, response) if request.method in _TAGGED else response

    @cached_property
    def _is_paged(self) -> bool:
        return any(parameter.name == "cursor" for parameter in self.parameters)


def _resource(request: web.Request) -> Route | None:
    """Return the route that reads what *request* writes, if its row can be held."""
    for route in request.match_info.route.resource or ():
        read = getattr(route.handler, "__self__", None)
        if isinstance(read, Route) and read.method == "GET" and read.holds is not None:
            return read
    return None


def of_request(request: web.Request) -> Route | None:
    """Return the route that answers *request*; None where its path or method has none."""
    route = getattr(request.match_info.handler, "__self__", None)
    return route if isinstance(route, Route) else None


async def json_response(
    request: web.Request, value: object, status: HTTPStatus, headers: dict[str, str]
) -> web.Response:
    """Return *value* as a JSON response."""
    headers[hdrs.CONTENT_TYPE] = bodies.JSON
    return web.Response(body=await _written(request, value), status=status, headers=headers)


async def _written(request: web.Request, value: object) -> bytes:
    """Return the JSON of *value*."""
    dumps = request.app[CONVERSION].converter.dumps
    return await off_loop(dumps, value) if _is_large(value) else dumps(value)


def _is_large(value: object) -> bool:
    """Tell whether it takes over a millisecond to write a value: it has many parts.

    What is in an array is taken to be like its first, middle and last item.
    """
    return _size(value, _SLOWER) >= _MANY


def _size(value: object, each: int) -> int:
    """Return how many values there are, each of which counts so much; those of structs once."""
    if type(value) in _SCALARS:
        return each
    if (names := _FIELDS[type(value)]) is not None:
        parts = [getattr(value, name) for name in names]
        return sum([each if type(part) in _SCALARS else _size(part, each) for part in parts])
    if isinstance(value, msgspec.Struct):
        return sum([_size(getattr(value, name), 1) for name in value.__struct_fields__])
    if isinstance(value, list | tuple):
        some = {0, len(value) // 2, len(value) - 1} if value else ()
        return len(value) * max((_size(value[index], each) for index in some), default=0)
    if isinstance(value, Mapping):
        return sum(_size(part, each) for part in islice(value.values(), _MANY))
    return each


class _Fields(dict[type, tuple[str, ...] | None]):
    """The names of what attrs classes have, by the class; None for one that is none of these."""

    def __missing__(self, class_: type) -> tuple[str, ...] | None:
        is_attrs = attrs.has(class_) and not issubclass(class_, Mapping | list | tuple)
        names = tuple(field.name for field in attrs.fields(class_)) if is_attrs else None
        self[class_] = names
        return names


#: What answers are made of, so that it is looked at once for each class.
_FIELDS: Final = _Fields()


@attrs.define(eq=False)
class RoutesBelow:
    """Routes below a path, which are made when one of them is first asked for.

    A service that nobody asks for them starts sooner, and is smaller, than one that imports what
    they need. They are part of the document as others are; that is made on demand as well.

    Attributes:
        path: Their common beginning, such as `/v1/weather`; routes that are made already go first.
        load: Returns them; it is called once, in a thread.

    Example:
        def routes() -> Iterable[Route]:
            from energia_weather.routes import routes
            return routes

        @hookimpl
        def register_routes() -> list[RoutesBelow]:
            return [RoutesBelow("/v1/weather", routes)]

    """

    path: str
    load: Callable[[], Iterable[Route]]
    _made: tuple[Route, ...] | None = attrs.field(default=None, init=False)
    #: Two that ask at the same time ask in two threads.
    _making: Lock = attrs.field(factory=Lock, init=False)

    def routes(self) -> tuple[Route, ...]:
        """Return them.

        Raises:
            PluginError: One of them is not below the path.

        """
        with self._making:
            if self._made is None:
                made = tuple(self.load())
                for route in made:
                    if not f"{route.path}/".startswith(f"{self.path}/"):
                        raise PluginError(f"the route {route.path} is not below {self.path}")
                self._made = made
            return self._made


class Routes(list[Route]):
    """The routes of one module or plugin.

    Example:
        routes = Routes(tag="Sites", reads=("readings:read",), writes=("readings:write",))

        @routes.get("/v1/sites/{site}", errors=(NotFound,))
        async def get_site(site: Id, tenant: Tenant) -> Site: ...

    """

    def __init__(
        self,
        *,
        tag: str | None = None,
        reads: tuple[Scope, ...] | None = None,
        writes: tuple[Scope, ...] | None = None,
        documented: bool = True,
    ) -> None:
        """Begin without routes.

        Args:
            tag: Their heading in the documentation.
            reads: The scopes of those that answer GET, unless they state their own.
            writes: The scopes of all others, unless they state their own.
            documented: Whether they are part of the API, and of its document.

        """
        super().__init__()
        self._tag, self._documented = tag, documented
        self._reads, self._writes = reads, writes

    def add(self, method: str, path: str, **stated: Any) -> Callable[[Handler], Handler]:
        """Make the decorated function answer *method* on *path*; *stated* is for `Route`.

        Example:
            @routes.add("GET", "/v1/secrets", scopes=("admin",))

        """

        def decorate(handler: Handler) -> Handler:
            given = {name: value for name, value in stated.items() if value is not attrs.NOTHING}
            scopes = self._reads if method == "GET" else self._writes
            own = {"tag": self._tag, "scopes": scopes, "documented": self._documented}
            self.append(Route(method, path, handler, **{**own, **given}))
            return handler

        return decorate

    def get(  # noqa: PLR0913 - what a route states
        self,
        path: str,
        *,
        errors: tuple[type[EnergiaError], ...] = (),
        produces: tuple[str, ...] = (bodies.JSON,),
        answers: Mapping[HTTPStatus, Any] = _NONE,
        returns: Any = attrs.NOTHING,
        holds: Hold | None = None,
        from_replica: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Make the decorated function answer GET (and HEAD) on *path*."""
        stated = {"produces": produces, "answers": answers, "returns": returns, "holds": holds}
        return self.add("GET", path, errors=errors, from_replica=from_replica, **stated)

    def post(
        self,
        path: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        errors: tuple[type[EnergiaError], ...] = (),
        examples: Mapping[str, object] = _NONE,
        once: Once | None = None,
    ) -> Callable[[Handler], Handler]:
        """Make the decorated function answer POST on *path*."""
        stated = {"status": status, "errors": errors, "examples": examples, "once": once}
        return self.add("POST", path, **stated)

    def patch(
        self,
        path: str,
        *,
        errors: tuple[type[EnergiaError], ...] = (),
        examples: Mapping[str, object] = _NONE,
    ) -> Callable[[Handler], Handler]:
        """Make the decorated function answer PATCH on *path*, in one transaction."""
        return self.add("PATCH", path, errors=errors, examples=examples)

    def put(
        self,
        path: str,
        *,
        errors: tuple[type[EnergiaError], ...] = (),
        examples: Mapping[str, object] = _NONE,
    ) -> Callable[[Handler], Handler]:
        """Make the decorated function answer PUT on *path*."""
        return self.add("PUT", path, errors=errors, examples=examples)

    def delete(
        self,
        path: str,
        *,
        errors: tuple[type[EnergiaError], ...] = (),
    ) -> Callable[[Handler], Handler]:
        """Make the decorated function answer DELETE on *path*."""
        return self.add("DELETE", path, errors=errors)
