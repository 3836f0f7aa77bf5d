"""Holding single rows, so that nobody else writes them before a transaction ends."""

from collections.abc import Awaitable, Callable
from typing import Final

from energia.db.tenant import Queries

_HOLD: Final = """select 1
from {table}
where organization_id = current_setting('energia.organization')::int and {key} = %s
for no key update"""


def holding(table: str, key: str = "id") -> Callable[[Queries, str], Awaitable[object]]:
    """Return what holds the row of a *table* whose column *key* is given; there may be none."""
    statement = _HOLD.format(table=table, key=key)

    async def hold(queries: Queries, id_: str) -> object:
        return await queries.fetch(int, statement, id_)

    return hold
