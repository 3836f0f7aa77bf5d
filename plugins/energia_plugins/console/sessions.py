"""Sessions: who has signed in, known by a cookie that nobody else can make or read.

A session is a row with the bearer token, encrypted under a key that is in the cookie alone: a dump
of the database has no token, and a cookie is worth nothing once its row is gone.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final, Self

import attrs
from aiohttp import web
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from energia import Caller, Core, Tenant
from energia_plugins.console.settings import Settings

#: The name of the cookie; with the prefix browsers take it over HTTPS alone, from this host alone.
COOKIE: Final = "energia-console"
_HOST: Final = "__Host-"
_HEADER: Final = {"alg": "dir", "enc": "A256GCM"}
_FIND: Final = """
    select sealed, seen_at < now() - interval '1 minute'
    from console_session
    where id = %s and seen_at > now() - make_interval(secs => %s)
      and signed_in_at > now() - make_interval(secs => %s)
"""
_SEEN: Final = "update console_session set seen_at = now() where id = %s"
_BEGIN: Final = """
    insert into console_session (organization_id, id, sealed, caller, caller_name)
    values (nullif(current_setting('energia.organization', true), '')::int, %s, %s, %s, %s)
"""
_WHOSE: Final = "select caller, caller_name from console_session where id = %s"
_END: Final = "delete from console_session where id = %s"
_EXPIRE: Final = """
    delete from console_session
    where seen_at <= now() - make_interval(secs => %s)
      or signed_in_at <= now() - make_interval(secs => %s)
"""


@attrs.frozen
class Ticket:
    """What the cookie of a session says.

    Attributes:
        organization: Whose session it is.
        secret: What opens it.

    """

    organization: int
    secret: bytes

    @classmethod
    def new(cls, organization: int) -> Self:
        """Return a ticket that was never given out."""
        return cls(organization, secrets.token_bytes(32))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return what a cookie says; None where it is none of ours."""
        organization, _, secret = text.partition(".")
        if not (organization.isdecimal() and organization.isascii() and len(organization) < 10):
            return None
        try:
            found = urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        except ValueError:
            return None
        return cls(int(organization), found) if len(found) == 32 else None

    @property
    def text(self) -> str:
        """The cookie."""
        return f"{self.organization}.{urlsafe_b64encode(self.secret).decode().rstrip('=')}"

    @property
    def id(self) -> str:
        """What its row is found by: the secret cannot be worked out from it."""
        return sha256(b"id" + self.secret).hexdigest()[:32]

    @property
    def _key(self) -> OctKey:
        return OctKey.import_key(sha256(b"key" + self.secret).digest())

    def sealed(self, token: str) -> str:
        """Return a token so that only this ticket opens it."""
        return jwe.encrypt_compact(_HEADER, token.encode(errors="surrogateescape"), self._key)

    def opened(self, sealed: str) -> str | None:
        """Return the token that was sealed; None where this is another ticket's."""
        try:
            plain = jwe.decrypt_compact(sealed, self._key).plaintext
        except (JoseError, ValueError):
            return None
        return None if plain is None else plain.decode(errors="surrogateescape")


@attrs.frozen
class Sessions:
    """The sessions of one service.

    Attributes:
        core: The service.
        settings: How long they last.

    """

    core: Core
    settings: Settings

    async def token(self, ticket: Ticket) -> str | None:
        """Return the bearer token of a session; None where it has ended."""
        tenant = self.core.pool.tenant(ticket.organization)
        ages = (self.settings.idle, self.settings.lifetime)
        rows = await tenant.rows(_FIND, ticket.id, *ages)
        if not rows:
            return None
        sealed, is_due = rows[0]
        if is_due:
            await tenant.execute(_SEEN, ticket.id)
        return ticket.opened(sealed)

    async def begin(self, caller: Caller, token: str) -> Ticket:
        """Begin the session of who has signed in; those that have expired go."""
        ticket = Ticket.new(caller.organization)
        tenant = self._tenant(caller)
        await tenant.execute(_EXPIRE, self.settings.idle, self.settings.lifetime)
        row = (ticket.id, ticket.sealed(token), caller.id, caller.name)
        await tenant.execute(_BEGIN, *row)
        return ticket

    async def end(self, ticket: Ticket) -> None:
        """End a session, also one whose token is worth nothing any more."""
        tenant = self.core.pool.tenant(ticket.organization)
        for caller, name in await tenant.rows(_WHOSE, ticket.id):
            own = self.core.pool.tenant(ticket.organization, caller, name=name)
            await own.execute(_END, ticket.id)

    def _tenant(self, caller: Caller) -> Tenant:
        return self.core.pool.tenant(caller.organization, caller.id, name=caller.name)


# The cookie.


def ticket_of(request: web.Request) -> Ticket | None:
    """Return the ticket that a request carries."""
    text = request.cookies.get(name_of(request, COOKIE))
    return None if text is None else Ticket.read(text)


def name_of(request: web.BaseRequest, cookie: str) -> str:
    """Return what a cookie is called here: over HTTPS no other host can set it."""
    return _HOST + cookie if request.scheme == "https" else cookie


def give(
    request: web.Request, response: web.StreamResponse, cookie: str, text: str, age: float
) -> None:
    """Let a browser keep a cookie, out of reach of scripts and of other sites."""
    response.set_cookie(
        name_of(request, cookie),
        text,
        max_age=int(age),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=request.scheme == "https",
    )


def take(request: web.Request, response: web.StreamResponse, cookie: str) -> None:
    """Let a browser forget a cookie."""
    give(request, response, cookie, "", 0)
