"""Recognises callers by their bearer tokens, and remembers for a while who they are.

A request costs one SHA-256 and one look into a dictionary. What is not remembered is looked up: all
tokens that are new at a time by one statement, one after another, so that a flood of nonsense takes
one connection at most; and what is no token is remembered as well, in a room of its own.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Final

import attrs
import structlog

from energia.access import tokens
from energia.access.callers import Caller
from energia.access.tokens import UNKNOWN, Known, Secret
from energia.core import Core
from energia.errors import DatabaseAway, EnergiaError, Forbidden, Unauthenticated

#: Seconds between two writes of when tokens were used.
_PERIOD: Final = 60.0
#: Seconds before tokens of an organization are looked up of which none is known yet.
_PAUSE: Final = 0.02
#: The longest bearer token that is looked at.
_LONGEST: Final = 16_384
log = structlog.get_logger(__name__)


@attrs.frozen
class _Entry:
    """What is remembered of a token.

    Attributes:
        caller: Who sends it; None for nobody.
        reason: Why nobody does.
        until: Until when that holds, on the monotonic clock.
        away_until: Until when it holds where the database cannot be asked.
        expires: When the token expires.

    """

    caller: Caller | None
    reason: str
    until: float
    away_until: float
    expires: datetime | None = None


class Authentication:
    """Recognises the callers of one service."""

    def __init__(self, core: Core) -> None:
        """Remember nobody yet."""
        self._core = core
        self._settings = core.settings.auth
        self._callers: dict[bytes, _Entry] = {}
        self._strangers: dict[bytes, _Entry] = {}
        self._asking: dict[bytes, asyncio.Task[Caller]] = {}
        self._lookups = _Lookups(core)
        self._used: dict[str, tuple[int, datetime]] = {}

    async def caller(self, bearer: str) -> Caller:
        """Return who sends *bearer*.

        Raises:
            Unauthenticated: Nobody does: it is not known, has expired or is revoked.
            DatabaseAway: It cannot be told.

        """
        if len(bearer) > _LONGEST:
            raise Unauthenticated(UNKNOWN)
        key = sha256(bearer.encode(errors="surrogateescape")).digest()
        entry = self._callers.get(key) or self._strangers.get(key)
        if entry is None or entry.until <= time.monotonic():
            return await self._asked(key, bearer)
        return self._let_in(entry)

    def _let_in(self, entry: _Entry) -> Caller:
        caller = entry.caller
        if caller is None:
            raise Unauthenticated(entry.reason)
        if entry.expires is not None and entry.expires <= self._core.clock.now():
            raise Unauthenticated("the token has expired")
        if caller.id.startswith("token:"):
            self._used[caller.id] = (caller.organization, self._core.clock.now())
        return caller

    async def _asked(self, key: bytes, bearer: str) -> Caller:
        """Ask who sends *bearer*, once for all requests that wait for it."""
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key, bearer))
            task.add_done_callback(partial(self._answered, key))
        # A client that leaves does not take the answer from the others.
        return await asyncio.shield(task)

    def _answered(self, key: bytes, task: "asyncio.Task[Caller]") -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # whoever waited may have left

    async def _ask(self, key: bytes, bearer: str) -> Caller:
        expires = None
        try:
            caller, expires = await self._recognised(bearer)
            if caller.limited:
                await self._refuse_unguarded(caller)
        except Unauthenticated as refusal:
            self._callers.pop(key, None)
            return self._let_in(self._remember(key, None, refusal.detail or refusal.title))
        except DatabaseAway:
            entry = self._callers.get(key)
            if entry is None or entry.away_until <= time.monotonic():
                raise
            return self._let_in(entry)
        return self._let_in(self._remember(key, caller, "", expires))

    async def _recognised(self, bearer: str) -> tuple[Caller, datetime | None]:
        """Return who sends *bearer* and when it expires, by the core's tokens or a plugin."""
        if (secret := Secret.of(bearer)) is not None:
            known = await self._lookups.known(secret)
            if known is None:
                raise Unauthenticated(UNKNOWN)
            return known.caller(secret, self._core.clock.now()), known.expires
        for authenticator in self._core.plugins.authenticators():
            if (caller := await authenticator.authenticate(bearer, self._core)) is not None:
                return caller, None
        raise Unauthenticated(UNKNOWN)

    async def _refuse_unguarded(self, caller: Caller) -> None:
        """Raise `Forbidden` where the database would not hold *caller* to its limits."""
        tenant = self._core.pool.tenant(caller.organization)
        if not (await tenant.fetch(bool, tokens.SQL["policies_hold"]))[0]:
            raise Forbidden("limits to sites or meters do not hold here: no row security")

    def _remember(
        self, key: bytes, caller: Caller | None, reason: str, expires: datetime | None = None
    ) -> _Entry:
        now = time.monotonic()
        until = now + self._settings.cache
        entry = _Entry(caller, reason, until, max(until, now + self._settings.away), expires)
        room = self._strangers if caller is None else self._callers
        room.pop(key, None)
        room[key] = entry
        if len(room) > self._settings.cache_size:
            del room[next(iter(room))]  # the one that was asked for longest ago
        return entry

    # When tokens were used, in the background.

    @asynccontextmanager
    async def noting_use(self) -> AsyncIterator[None]:
        """Write down when tokens were used, from time to time and at the end."""
        if self._core.settings.auth.required:
            await self._hint()
        async with self._core.background.running({"token-use": self._note}):
            yield
        await self._write()

    async def _note(self) -> None:
        while True:
            await asyncio.sleep(_PERIOD)
            await self._write()

    async def _write(self) -> None:
        by_organization: dict[int, dict[str, datetime]] = defaultdict(dict)
        for id_, (organization, at) in self._used.items():
            by_organization[organization][id_.removeprefix("token:")] = at
        self._used.clear()
        for organization, used in by_organization.items():
            try:
                await tokens.note_use(self._core.pool.tenant(organization), used)
            except EnergiaError as error:
                log.warning("token_use_not_noted", detail=error.detail)

    async def _hint(self) -> None:
        """Say how to make the first token."""
        try:
            if not await tokens.usable(self._core.pool.tenant()):
                log.warning("no_token", make_one="energia token create --name admin --scope admin")
        except EnergiaError as error:
            log.warning("tokens_not_counted", detail=error.detail)


class _Lookups:
    """Looks tokens up: those that are asked for while a statement runs make the next one.

    A statement sees one organization, and a token says which; nonsense may name any. So those that
    are known to have tokens come first, and others one after another with a pause.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._waiting: dict[int, dict[str, asyncio.Future[Known | None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._have_tokens = {1}

    async def known(self, secret: Secret) -> Known | None:
        """Return what the database knows of a token; raises `DatabaseAway`."""
        if not self._core.state.usable:
            raise DatabaseAway(f"the service is {self._core.state.phase}")
        of_organization = self._waiting.setdefault(secret.organization, {})
        future = of_organization.get(secret.prefix)
        if future is None:
            future = of_organization[secret.prefix] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return await asyncio.shield(future)

    async def _work(self) -> None:
        try:
            while self._waiting:
                organization = next(filter(self._have_tokens.__contains__, self._waiting), None)
                if organization is None:
                    await asyncio.sleep(_PAUSE)
                    organization = next(iter(self._waiting))
                await self._answer(organization, self._waiting.pop(organization))
        finally:
            self._task = None

    async def _answer(
        self, organization: int, wanted: dict[str, "asyncio.Future[Known | None]"]
    ) -> None:
        try:
            tenant = self._core.pool.tenant(organization)
            found = await tokens.known(tenant, list(wanted))
        except Exception as error:
            for future in wanted.values():
                future.set_exception(error)
                future.exception()  # whoever waited may have left
            return
        if found:
            self._have_tokens.add(organization)
        for prefix, future in wanted.items():
            future.set_result(found.get(prefix))
