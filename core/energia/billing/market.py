"""The price series that periods of contracts need, in one statement, and as bills saw them."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from energia.billing.pricing import Asked, window_of
from energia.billing.rows import Row
from energia.db.queries import load
from energia.db.tenant import Queries
from energia.pricing.market.series import PriceSeries
from energia.pricing.market.store import PriceSpan, PriceStore

SQL: Final = load(__package__)


async def as_billed(queries: Queries, row: Row, asked: Asked) -> dict[str, PriceSeries]:
    """Return the price series of a bill as it saw them, by name."""
    read = await PriceStore(queries).read(list(_pinned(row, asked)))
    return {one.name: one for one in read if one is not None}


async def repriced(queries: Queries, rows: Sequence[Row], asked: Sequence[Asked]) -> frozenset[str]:
    """Return the bills with a slot that has another price now."""
    touched = set(await queries.fetch(str, SQL["bill_repriced"], [row.id for row in rows]))
    bills, then = list[str](), list[PriceSpan]()
    for row, one in zip(rows, asked, strict=True):
        if row.id in touched:
            spans = list(_pinned(row, one))
            bills += [row.id] * len(spans)
            then += spans
    now = [PriceSpan(span.series, span.start, span.end) for span in then]
    store = PriceStore(queries)
    before, after = await store.read(then), await store.read(now)
    return frozenset(
        bill for bill, old, new in zip(bills, before, after, strict=True) if not _same(old, new)
    )


def _pinned(row: Row, asked: Asked) -> Iterator[PriceSpan]:
    for name, pin in zip(row.price_series or (), row.price_revisions or (), strict=True):
        yield PriceSpan(name, *window_of(asked), pin)


def _same(old: PriceSeries | None, new: PriceSeries | None) -> bool:
    if old is None or new is None:
        return old is new
    return (
        np.array_equal(old.starts, new.starts)
        and np.array_equal(old.ends, new.ends)
        and [old.text(at) for at in range(len(old.starts))]
        == [new.text(at) for at in range(len(new.starts))]
    )
