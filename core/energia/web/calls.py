"""Calls of the API from within a request, as its caller: what pages and panels are made from.

An operation is called by the name that the document has for it (`operationId`), with its arguments
as a client would send them, and returns the JSON that a client would get. It is no second request:
nothing travels, and the database is the request's own.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import msgspec
from aiohttp import web

from energia.access.callers import Caller
from energia.core import Core
from energia.db.holds import one_by_one
from energia.db.tenant import persistent
from energia.errors import NotFound, PreconditionFailed
from energia.web import parameters
from energia.web.access import refuse_strangers
from energia.web.bodies import JSON
from energia.web.keys import CALLER, CONVERSION, CORE
from energia.web.representations import tag_of
from energia.web.routes import IDEMPOTENT, Created, Deferred, Route
from energia.web.tenant import tenant_of

__all__ = ["Api"]

#: The routes of the API by the names of their handlers.
OPERATIONS: Final[web.AppKey[Callable[[], Mapping[str, Route]]]] = web.AppKey("OPERATIONS")


@attrs.frozen
class Seen:
    """What was read, as it was then.

    Attributes:
        value: The parsed JSON.
        tag: Its entity tag, without quotes: another value has another one.

    """

    value: Any
    tag: str


@attrs.frozen
class Api:
    """The API of the service that answers a request.

    Attributes:
        request: The request, whose caller it is that asks.

    Example:
        api = Api(request)
        site = await api.call("get_site", site="casa")
        await api.call("put_site", site="casa", body={**site, "name": "Casa"})

        seen = await api.seen("get_site", site="casa")
        await api.call("delete_site", site="casa", if_match=seen.tag)

    """

    request: web.Request

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.request[CALLER]

    @property
    def core(self) -> Core:
        """The service."""
        return self.request.app[CORE]

    def may(self, operation: str) -> bool:
        """Tell whether there is such an operation, and the caller may use it."""
        route = self.request.app[OPERATIONS]().get(operation)
        return route is not None and (not route.needs or any(map(self.caller.may, route.needs)))

    async def call(
        self, operation: str, /, *, if_match: str | None = None, **arguments: object
    ) -> Any:
        """Return what an operation answers, as parsed JSON; None where it answers nothing.

        Args:
            operation: Its name, such as `get_site`.
            if_match: The tag that what is written has to have; see `seen`.
            arguments: Texts as in a URL, or JSON values; `body` is the JSON body, an `Upload` a
                file.

        Raises:
            NotFound: No plugin offers such an operation here, or the operation itself raises it.
            Forbidden: The caller has none of its scopes.
            PreconditionFailed: What would be written is not what has the tag any more.
            EnergiaError: What the operation raises; the pointers of `Invalid` are those of the API.

        """
        body = await self._written(operation, if_match, arguments)
        return None if body is None else msgspec.json.decode(body)

    async def seen(self, operation: str, /, **arguments: object) -> Seen:
        """Return what an operation that reads answers, with its entity tag.

        Whoever writes it later says the tag (`call(..., if_match=tag)`), and so writes over nothing
        that it has not seen.
        """
        body = await self._written(operation, None, arguments)
        assert body is not None, operation
        return Seen(msgspec.json.decode(body), tag_of(body, JSON))

    async def _written(
        self, operation: str, if_match: str | None, arguments: Mapping[str, object]
    ) -> bytes | None:
        """Return the JSON that an operation answers."""
        route = self.request.app[OPERATIONS]().get(operation)
        if route is None:
            raise NotFound(f"there is no operation {operation!r} here")
        if route.needs:
            refuse_strangers(self.caller, route.needs)
        given = parameters.of_values(self.request, route.parameters, arguments)
        result = await self._answer(route, given, if_match)
        if isinstance(result, Created | Deferred):
            result = result.value
        return None if result is None else self.request.app[CONVERSION].converter.dumps(result)

    async def _answer(self, route: Route, given: Mapping[str, Any], tag: str | None) -> Any:
        if route.method == "PATCH" or tag is not None:
            return await persistent(lambda: self._alone(route, given, tag))
        if route.method in IDEMPOTENT:
            return await persistent(lambda: route.handler(**given))
        return await route.handler(**given)

    async def _alone(self, route: Route, given: Mapping[str, Any], tag: str | None) -> Any:
        """Write what a path names in one transaction, as a request would: one after another.

        With a *tag*, only if what there is has it: nobody else writes it meanwhile.
        """
        names = [one.name for one in route.parameters if one.where == "path"]
        parts = {name: str(given[name]) for name in names}
        async with tenant_of(self.request).whole() as whole:
            await one_by_one(whole, f"{whole.organization} {route.path.format(**parts)}")
            if tag is not None:
                current = await self._reading(route).current_tag(self.request, whole, parts)
                if current != tag:
                    raise PreconditionFailed("it was changed since it was read")
            arguments = {**given, **parameters.within(route.parameters, whole)}
            return await route.handler(**arguments)

    def _reading(self, route: Route) -> Route:
        """Return the route that reads what another one writes."""
        for one in self.request.app[OPERATIONS]().values():
            if one.method == "GET" and one.path == route.path and one.holds is not None:
                return one
        raise PreconditionFailed("nothing here has an entity tag")
