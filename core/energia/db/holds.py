"""Holding what is written: nobody else writes it before a transaction ends."""

from collections.abc import Awaitable, Callable
from typing import Final

from energia.db.tenant import Queries

__all__ = ["holding"]

_HOLD: Final = """select 1
from {table}
where organization_id = current_setting('energia.organization')::int and {key} = %s
for no key update"""
_ONE_BY_ONE: Final = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"


async def one_by_one(queries: Queries, name: str) -> None:
    """Let one transaction after another go on from here, of all that give this *name*.

    It holds back those that ask for it, also where there is no row yet.
    """
    await queries.fetch(str, _ONE_BY_ONE, name)


def holding(table: str, key: str = "id") -> Callable[[Queries, str], Awaitable[object]]:
    """Return what holds the row of a *table* whose column *key* is given; there may be none."""
    statement = _HOLD.format(table=table, key=key)

    async def hold(queries: Queries, id_: str) -> object:
        return await queries.fetch(int, statement, id_)

    return hold
