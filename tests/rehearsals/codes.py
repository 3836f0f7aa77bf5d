"""The refusals of PostgreSQL that previews must live with, each met on purpose."""

import asyncio
from collections.abc import Iterator

import psycopg2

from energia.previews.cluster import PreviewPlan
from tests.previews import PreviewServer

PR = 99
NAME = f"app_pr_{PR}"


async def met(server: PreviewServer, production: str) -> list[str]:
    """Return the codes that the server refused with; ours comes through where it is no failure.

    Args:
        server: The server.
        production: The name of production's database, which the role of the previews may not drop.

    """
    found = [*await _at_once(server), *_alone(server, production)]
    with server.session(NAME):
        refused = await asyncio.to_thread(server.code, f"drop database {NAME}")
        found.append(str(refused))
        assert await server.cluster().drop(PR)  # with its session
    found.append(str(server.code(f"drop database {NAME}")))
    assert not await server.cluster().drop(PR)
    return sorted(set(found))


async def _at_once(server: PreviewServer) -> set[str]:
    """Create one database several times at once, until two have met in the same moment."""
    found: set[str] = set()
    for _ in range(50):
        found |= set(await asyncio.gather(*(_created(server) for _ in range(6))))
        if "23505" in found:
            break
        await asyncio.to_thread(server.run, f"drop database {NAME}")
    made = await server.cluster().make(PreviewPlan(PR))
    assert not made.created  # it is there, and that is no failure
    return found - {""}


async def _created(server: PreviewServer) -> str:
    try:
        await asyncio.to_thread(server.run, f"create database {NAME}")
    except psycopg2.Error as error:
        return str(error.pgcode)
    return ""


def _alone(server: PreviewServer, production: str) -> Iterator[str]:
    """Yield what a role gets that would drop production's database, or make the names one."""
    yield str(server.code(f"create database {NAME}"))
    for statement in (
        f'drop database "{production}"',
        f'drop database "{production}" with (force)',
        f'alter database "{production}" allow_connections false',
        f'alter database "{production}" rename to app_pr_98',
        f"comment on database \"{production}\" is '{{}}'",
    ):
        yield str(server.code(statement))
