"""`energia token`: who may use the service. It works on the database, with a service or without."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, get_args

import click

from energia.access.callers import Scope
from energia.cli.invocation import Invocation, allow_embedded, pass_invocation
from energia.errors import Invalid
from energia.time import BadDuration, duration_of

if TYPE_CHECKING:
    from energia.access.tokens import NewToken, Secret, Token
    from energia.db.tenant import Tenant
    from energia.settings import Settings

organization = click.option(
    "--organization", metavar="NAME", default="default", help="Of another organization."
)


@click.group("token", short_help="Make, list, revoke and rotate tokens of the API.")
def command() -> None:
    """Make, list, revoke and rotate tokens of the API.

    They are kept in the database, as hashes: a service that runs knows new ones at once, and
    takes revoked ones for a few seconds more (`auth.cache`).

    \b
    Examples:
      energia token create --name admin --scope admin
      energia token create --name logger-7 --scope readings:write --meter UC-123
      energia token list
    """


def _length(text: str) -> timedelta:
    """Read a length of time, such as PT1H or P7D."""
    try:
        return duration_of(text)
    except BadDuration as error:
        raise click.BadParameter(str(error)) from error


def _until(text: str) -> datetime:
    """Read a length of time from now, or a date: the midnight (UTC) with which it begins."""
    try:
        if text.startswith("P"):
            return datetime.now(UTC) + duration_of(text)
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except (ValueError, OverflowError) as error:
        message = f"{text!r} is neither a length such as P90D nor a date"
        raise click.BadParameter(message) from error


@command.command(short_help="Make a token, and print it.")
@click.option("--name", metavar="NAME", required=True, help="Who or what will use it.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(get_args(Scope)),
    multiple=True,
    required=True,
    help="What it may do; several times for several scopes.",
)
@organization
@click.option("--site", "sites", metavar="ID", multiple=True, help="Only this site, its meters.")
@click.option("--meter", "meters", metavar="ID", multiple=True, help="Only this meter.")
@click.option("--expires", type=_until, metavar="P90D|DATE", help="Until when; else for ever.")
@allow_embedded
@pass_invocation
def create(
    invocation: Invocation,
    name: str,
    scopes: tuple[Scope, ...],
    organization: str,
    sites: tuple[str, ...],
    meters: tuple[str, ...],
    expires: datetime | None,
    allow_embedded: bool,
) -> None:
    """Make a token and print it, alone, on standard output: it is shown this once.

    A database that is new, or of an earlier release, is migrated first, and that is said: so there
    is a token before there is a service.

    \b
    Examples:
      energia token create --name admin --scope admin
      energia token create --name office --scope readings:read --scope billing --expires P90D
    """
    from energia.access.tokens import NewToken
    from energia.convert import TEXT

    given = {"name": name, "scopes": list(scopes), "expires": expires and expires.isoformat()}
    limits = {"sites": list(sites) or None, "meters": list(meters) or None}
    try:
        new = TEXT.structure({**given, **limits}, NewToken)
    except Invalid as error:
        faults = (f"{fault.pointer}: {fault.message}" for fault in error.faults)
        raise click.UsageError("; ".join(faults)) from error
    settings = invocation.settings(allow_embedded=allow_embedded)
    secret = asyncio.run(_create(settings, organization, new))
    click.echo(f"energia: token {secret.prefix} is made; it is not shown again", err=True)
    click.echo(secret.text)


@command.command("list", short_help="List the tokens.")
@organization
@allow_embedded
@pass_invocation
def list_(invocation: Invocation, organization: str, allow_embedded: bool) -> None:
    """List the tokens: prefixes, names, scopes, limits, expiry and last use; no secret."""
    from rich.table import Table
    from rich.text import Text

    from energia.cli.tables import console

    settings = invocation.settings(allow_embedded=allow_embedded)
    found = asyncio.run(_list(settings, organization))
    table = Table(*_HEAD, box=None, pad_edge=False)
    for token in found:
        table.add_row(*map(Text, _row(token)))
    console().print(table)


@command.command(short_help="End a token for good.")
@click.argument("prefix")
@organization
@allow_embedded
@pass_invocation
def revoke(invocation: Invocation, prefix: str, organization: str, allow_embedded: bool) -> None:
    """End the token PREFIX for good; a service takes it for `auth.cache` seconds more."""
    settings = invocation.settings(allow_embedded=allow_embedded)
    asyncio.run(_revoke(settings, organization, prefix))
    click.echo(f"energia: token {prefix} is revoked", err=True)


@command.command(short_help="Give a token another secret, and print it.")
@click.argument("prefix")
@click.option(
    "--grace",
    type=_length,
    default="PT0S",
    metavar="PT1H",
    help="For how long the secret before is taken as well; not at all without.",
)
@organization
@allow_embedded
@pass_invocation
def rotate(
    invocation: Invocation,
    prefix: str,
    grace: timedelta,
    organization: str,
    allow_embedded: bool,
) -> None:
    """Give the token PREFIX another secret and print it, alone, on standard output."""
    settings = invocation.settings(allow_embedded=allow_embedded)
    secret = asyncio.run(_rotate(settings, organization, prefix, grace))
    click.echo(f"energia: token {prefix} has another secret; it is not shown again", err=True)
    click.echo(secret.text)


_HEAD = ("prefix", "name", "scopes", "limited to", "expires", "last used", "state")


def _row(token: "Token") -> tuple[str, ...]:
    limits = [f"site {id_}" for id_ in token.sites or ()]
    limits += [f"meter {id_}" for id_ in token.meters or ()]
    return (
        token.prefix,
        token.name,
        ", ".join(token.scopes),
        ", ".join(limits) or "-",
        _moment(token.expires),
        _moment(token.used),
        "active" if token.revoked is None else f"revoked {_moment(token.revoked)}",
    )


def _moment(moment: datetime | None) -> str:
    return "-" if moment is None else moment.strftime("%Y-%m-%d %H:%M")


# What is done in the database.


async def _create(settings: "Settings", name: str, new: "NewToken") -> "Secret":
    from energia.access import tokens

    async with _organization(settings, name, migrating=True) as tenant:
        return await tokens.create(tenant, new, datetime.now(UTC))


async def _list(settings: "Settings", name: str) -> "list[Token]":
    from energia.access import tokens

    async with _organization(settings, name) as tenant:
        return await tokens.listed(tenant, "", 100_000)


async def _revoke(settings: "Settings", name: str, prefix: str) -> None:
    from energia.access import tokens

    async with _organization(settings, name) as tenant:
        await tokens.revoke(tenant, prefix)


async def _rotate(settings: "Settings", name: str, prefix: str, grace: timedelta) -> "Secret":
    from energia.access import tokens

    async with _organization(settings, name) as tenant:
        return await tokens.rotate(tenant, prefix, grace)


@asynccontextmanager
async def _organization(
    settings: "Settings", name: str, *, migrating: bool = False
) -> AsyncIterator["Tenant"]:
    from energia.cli.database import operator, pooled
    from energia.db import organizations

    async with pooled(settings.database, migrating=migrating) as pool:
        # The first may be called by another name by now: `default` is what it always answers to.
        default = name == "default"
        key = organizations.DEFAULT if default else (await organizations.find(pool, name)).key
        yield pool.tenant(key, operator())
