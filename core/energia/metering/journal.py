"""What became of imports."""

from typing import TYPE_CHECKING, Final

from energia.db.queries import load
from energia.errors import NotFound
from energia.metering.outcome import Kept, KeptRow, Listed

if TYPE_CHECKING:
    from energia.db.tenant import Queries

SQL: Final = load(__package__)


async def imports(queries: "Queries", before: str | None, limit: int) -> list[Listed]:
    """Return at most *limit* imports older than the id *before*, the newest first."""
    rows = await queries.fetch(KeptRow, SQL["import_list"], before, before, limit)
    return [Listed.of(row) for row in rows]


async def one(queries: "Queries", id_: str) -> Kept:
    """Return an import with its problems; raises `NotFound`."""
    rows = await queries.fetch(KeptRow, SQL["import_get"], id_)
    if not rows:
        raise NotFound(f"there is no import {id_!r}")
    return Kept.of(rows[0])
