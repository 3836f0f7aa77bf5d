"""Tokens of the core: `energia_<prefix>_<secret>`, of which the database keeps a hash.

The secret has 256 random bits, so one SHA-256 is all it needs: slow hashes are for passwords, which
can be guessed. The prefix may be read by everybody: it names the token in lists and logs, and
begins with the key of its organization, so that whoever checks a token knows whose rows to read.
"""

import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final, Self

import attrs
from msgspec import Meta

from energia.access.callers import Caller, Scope
from energia.convert import Id
from energia.db.queries import load
from energia.db.tenant import Queries, Tenant
from energia.errors import Invalid, NotFound, Unauthenticated

SQL: Final = load(__package__)
_TEXT: Final = re.compile(r"energia_((\d{1,9})x[0-9a-f]{10})_([0-9a-f]{64})")
Ids = Annotated[tuple[Id, ...], Meta(min_length=1, max_length=1000)]


# What the columns of a row become.


def _ids(ids: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if ids is None else tuple(ids)


def _scopes(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    return tuple(scopes)


def _set(scopes: Iterable[Scope]) -> frozenset[Scope]:
    return frozenset(scopes)


def _bytes(column: "memoryview | bytes | None") -> bytes | None:
    return None if column is None else bytes(column)


@attrs.frozen
class NewToken:
    """A token to make.

    Attributes:
        name: Who or what will use it, for people.
        scopes: What it may do; `admin` includes all others.
        sites: The only sites that it sees, with their meters; all without.
        meters: The only meters that it sees; all without.
        expires: Until when it may be used; for ever without.

    """

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100,
            pattern=r"\S",
            extra={"words": "a text that is not blank"},
            examples=["logger-7"],
        ),
    ]
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=20)]
    sites: Ids | None = None
    meters: Ids | None = None
    expires: datetime | None = None


@attrs.frozen
class Token:
    """A token, without its secret.

    Attributes:
        prefix: What names it.
        name: Who or what uses it.
        scopes: What it may do; `admin` includes all others.
        organization: Whose data it sees.
        sites: The only sites that it sees, with their meters; null for all.
        meters: The only meters that it sees; null for all.
        created: When it was made.
        expires: Until when it may be used; null for ever.
        used: When it was last used, to the minute.
        revoked: When it was revoked.

    """

    prefix: str
    name: str
    scopes: tuple[Scope, ...] = attrs.field(converter=_scopes)
    organization: str
    sites: tuple[str, ...] | None = attrs.field(converter=_ids)
    meters: tuple[str, ...] | None = attrs.field(converter=_ids)
    created: datetime
    expires: datetime | None
    used: datetime | None
    revoked: datetime | None


@attrs.frozen
class Secret:
    """The whole of a token, as its user sends it.

    Attributes:
        organization: The key of its organization.
        prefix: What names it.
        hash: The hash of its secret part.
        text: All of it; shown once.

    """

    organization: int
    prefix: str
    hash: bytes
    text: str = attrs.field(repr=False)

    @classmethod
    def new(cls, organization: int, prefix: str | None = None) -> Self:
        """Make up a token of an organization, or another secret for *prefix*."""
        prefix = prefix or f"{organization:d}x{secrets.token_hex(5)}"
        secret = secrets.token_hex(32)
        text = f"energia_{prefix}_{secret}"
        return cls(organization, prefix, sha256(secret.encode()).digest(), text)

    @classmethod
    def of(cls, bearer: str) -> Self | None:
        """Read what a client sent; None where it does not have the form of a token."""
        if not (parts := _TEXT.fullmatch(bearer)) or int(parts[2]) > 2**31 - 1:
            return None
        return cls(int(parts[2]), parts[1], sha256(parts[3].encode()).digest(), bearer)


@attrs.frozen
class Known:
    """What the database knows of a token, to tell who sends it.

    Attributes:
        prefix: What names it.
        hash: The hash of its secret.
        former_hash: The hash of the secret before the last rotation, while it lives.
        name: Who or what uses it.
        scopes: What it may do.
        sites: The only sites that it sees.
        meters: The only meters that it sees.
        expires: Until when it may be used.
        revoked: When it was revoked.

    """

    prefix: str
    hash: bytes = attrs.field(converter=bytes)
    former_hash: bytes | None = attrs.field(converter=_bytes)
    name: str
    scopes: frozenset[Scope] = attrs.field(converter=_set)
    sites: Sequence[str] | None
    meters: Sequence[str] | None
    expires: datetime | None
    revoked: datetime | None

    def caller(self, secret: Secret, now: datetime) -> Caller:
        """Return who sends *secret*; raises `Unauthenticated` where it is not valid.

        Both hashes are compared, in constant time, so that how long it takes tells nothing.
        """
        current = hmac.compare_digest(secret.hash, self.hash)
        former = hmac.compare_digest(secret.hash, self.former_hash or bytes(32))
        if not (current or (former and self.former_hash)):
            raise Unauthenticated(UNKNOWN)
        if self.revoked is not None:
            raise Unauthenticated("the token is revoked")
        if self.expires is not None and self.expires <= now:
            raise Unauthenticated("the token has expired")
        return Caller(
            f"token:{self.prefix}",
            self.name,
            secret.organization,
            self.scopes,
            None if self.sites is None else frozenset(self.sites),
            None if self.meters is None else frozenset(self.meters),
        )


#: What is said of a token that nobody knows; the same, whether its prefix is known or not.
UNKNOWN: Final = "the token is not known"


async def create(tenant: Tenant, new: NewToken, now: datetime) -> Secret:
    """Make a token of the organization of *tenant*.

    Raises:
        Invalid: It would have expired already.

    """
    if new.expires is not None and new.expires <= now:
        raise Invalid.of("expired", "the token would have expired already", "/expires")
    secret = Secret.new(tenant.organization)
    await tenant.execute(
        SQL["token_add"],
        *(secret.prefix, secret.hash, new.name, list(dict.fromkeys(new.scopes))),
        *(new.sites and list(new.sites), new.meters and list(new.meters), new.expires),
    )
    return secret


async def get(queries: Queries, prefix: str) -> Token:
    """Return a token; raises `NotFound`."""
    for token in await queries.fetch(Token, SQL["token_get"], [prefix]):
        return token
    raise _missing(prefix)


async def listed(queries: Queries, after: str, limit: int) -> list[Token]:
    """Return at most *limit* tokens with prefixes after *after*, sorted."""
    return await queries.fetch(Token, SQL["token_list"], after, limit)


async def revoke(queries: Queries, prefix: str) -> None:
    """End a token for good; replicas see it within `auth.cache`. Raises `NotFound`."""
    if not await queries.execute(SQL["token_revoke"], prefix):
        raise _missing(prefix)


async def rotate(tenant: Tenant, prefix: str, grace: timedelta) -> Secret:
    """Give a token another secret; the one before is taken for *grace* longer.

    Raises:
        NotFound: There is no such token, or it is revoked.

    """
    secret = Secret.new(tenant.organization, prefix)
    row = (secret.hash, grace.total_seconds(), prefix)
    if not await tenant.execute(SQL["token_rotate"], *row):
        raise _missing(prefix)
    return secret


async def known(tenant: Tenant, prefixes: Sequence[str]) -> dict[str, Known]:
    """Return what is known of some tokens, by prefix."""
    found = await tenant.fetch(Known, SQL["token_known"], list(prefixes))
    return {each.prefix: each for each in found}


async def usable(tenant: Tenant) -> bool:
    """Tell whether there is any token that may be used."""
    return (await tenant.fetch(bool, SQL["token_any"]))[0]


async def note_use(tenant: Tenant, used: dict[str, datetime]) -> None:
    """Keep when tokens were last used, by prefix."""
    await tenant.execute(SQL["token_used"], list(used), list(used.values()))


def _missing(prefix: str) -> NotFound:
    return NotFound(f"there is no token {prefix!r} that is not revoked")
