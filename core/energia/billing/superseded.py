"""Tariffs and contracts that were corrected after bills: what they said stays, and why it changed.

A correction puts another tariff or contract in the place of one by which bills are issued. What it
said before is kept under a number, and those bills name it: they are explained by it for ever.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

import attrs

from energia.db.queries import load
from energia.db.tenant import Queries
from energia.errors import EnergiaError
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff

SQL: Final = load(__package__)
#: More corrections than a tariff or a contract has.
_ALL: Final = 1_000_000
#: What can be corrected.
Kind = Literal["tariff", "contract"]
_SUPERSEDE: Final[dict[Kind, str]] = {
    "tariff": SQL["tariff_supersede"],
    "contract": SQL["contract_supersede"],
}


@attrs.frozen
class Correction:
    """Why a tariff or a contract by which bills are issued becomes another one, and when.

    Attributes:
        reason: Why, for a person.
        now: When.

    """

    reason: str
    now: datetime


@attrs.frozen
class Superseded:
    """What a tariff or a contract said before it was corrected.

    Attributes:
        number: Counts the corrections of the tariff or contract, from 1.
        corrected_at: When it was corrected.
        reason: Why.
        before: The document, as it was.
        bills: How many issued bills are by it, corrected ones too.

    """

    __public_name__: ClassVar[str] = "Correction"

    number: int
    corrected_at: datetime
    reason: str
    before: dict[str, Any]
    bills: int


async def supersede(queries: Queries, kind: Kind, id_: str, correction: Correction) -> None:
    """Keep what a tariff or a contract says, for the bills that are by it; it is held."""
    arguments = {"id": id_, "reason": correction.reason, "now": correction.now}
    await queries.execute(_SUPERSEDE[kind], arguments)


async def page_of(
    queries: Queries, kind: Kind, id_: str, after: int, limit: int
) -> list[Superseded]:
    """Return at most *limit* of what a tariff or a contract said, by number, beyond *after*."""
    arguments = {"kind": kind, "id": id_, "after": after, "limit": limit}
    return await queries.fetch(Superseded, SQL["superseded_list"], arguments)


async def superseded_since(queries: Queries, kind: Kind, id_: str, number: int) -> list[Superseded]:
    """Return all that a tariff or a contract said from a number on."""
    return await page_of(queries, kind, id_, number - 1, _ALL)


async def tariffs_then(
    queries: Queries, tariffs: Tariffs, wanted: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Tariff | EnergiaError]:
    """Return superseded tariffs by id and number, or why one cannot be read."""
    if not wanted:
        return {}
    ids, numbers = (list(column) for column in zip(*wanted, strict=True))
    arguments = {"kind": "tariff", "ids": ids, "numbers": numbers}
    rows = await queries.fetch(_row, SQL["superseded_get"], arguments)
    return {(id_, number): tariffs.read(document) for id_, number, document in rows}


def _row(id_: str, number: int, document: dict[str, Any]) -> tuple[str, int, dict[str, Any]]:
    return id_, number, document


def chained(
    superseded: Sequence[Superseded], now: dict[str, Any]
) -> list[tuple[Superseded, dict[str, Any]]]:
    """Return each with what came in its place: the next of them, or what is *now*."""
    after = [entry.before for entry in superseded[1:]] + [now]
    return list(zip(superseded, after, strict=True))
