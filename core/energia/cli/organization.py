"""`energia organization`: the organizations that share a service, each with data of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation

if TYPE_CHECKING:
    from energia.db.pool import Pool

T = TypeVar("T")


@click.group("organization", short_help="Make, list, rename and delete organizations.")
def command() -> None:
    """Make, list, rename and delete organizations.

    Each has sites, meters, tariffs, bills and price series of its own, and ids of its own.

    \b
    Examples:
      energia organization create "Stadtwerke Nord"
      energia organization list
    """


@command.command(short_help="Make an organization.")
@click.argument("name")
@allow_embedded
@pass_invocation
def create(invocation: Invocation, name: str, allow_embedded: bool) -> None:
    """Make the organization NAME."""
    from energia.db import organizations

    made = _run(invocation, allow_embedded, lambda pool: organizations.create(pool, name))
    click.echo(f"{made.key} {made.name}")


@command.command("list", short_help="List the organizations.")
@allow_embedded
@pass_invocation
def list_(invocation: Invocation, allow_embedded: bool) -> None:
    """List the organizations, each with the number by which rows name it."""
    from energia.db import organizations

    for one in _run(invocation, allow_embedded, organizations.every):
        click.echo(f"{one.key} {one.name}")


@command.command(short_help="Give an organization another name.")
@click.argument("name")
@click.argument("new")
@allow_embedded
@pass_invocation
def rename(invocation: Invocation, name: str, new: str, allow_embedded: bool) -> None:
    """Call the organization NAME by another name: NEW."""
    from energia.db import organizations

    _run(invocation, allow_embedded, lambda pool: organizations.rename(pool, name, new))


@command.command(short_help="Delete an organization that has nothing.")
@click.argument("name")
@allow_embedded
@pass_invocation
def delete(invocation: Invocation, name: str, allow_embedded: bool) -> None:
    """Delete the organization NAME with its tokens; refused while it has anything else."""
    from energia.db import organizations

    _run(invocation, allow_embedded, lambda pool: organizations.delete(pool, name))


def _run(invocation: Invocation, allow_embedded: bool, work: "Callable[[Pool], Awaitable[T]]") -> T:
    """Do *work* on the database that the settings name."""
    from energia.cli.database import pooled

    settings = invocation.settings(allow_embedded=allow_embedded)

    async def run() -> T:
        async with pooled(settings.database) as pool:
            return await work(pool)

    return asyncio.run(run())
