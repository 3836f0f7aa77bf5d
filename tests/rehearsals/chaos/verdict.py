"""What is stored in the end, beside what was acknowledged."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import aiohttp
import attrs
import msgspec
import psycopg2

from tests.rehearsals.chaos.writers import BEGIN, CONTRACT, DAY, DAYS, Batch, Writers, values

#: What a day of the billed meter costs: 96 kWh at the rate.
_DAY_COSTS: Final = Decimal("24.00")


@attrs.frozen
class Verdict:
    """What is wrong; nothing, if all is well.

    Attributes:
        readings: How many readings were acknowledged.
        lost: Requests that were acknowledged, of which a reading is not there, or another one.
        half: Requests that were not acknowledged, of which a part is there.
        doubled: Slots that have a second revision, though each reading was ever sent alike.
        bills: Bills that are issued.
        wrong: Bills that do not add up, twice for a day, or missing though acknowledged.

    """

    readings: int
    lost: int
    half: int
    doubled: int
    bills: int
    wrong: tuple[str, ...]

    def text(self) -> str:
        """Return it in one line."""
        return (
            f"lost {self.lost}, half stored {self.half}, doubled {self.doubled}; "
            f"{self.bills} bills, {len(self.wrong)} wrong {list(self.wrong[:5])}"
        )

    @property
    def good(self) -> bool:
        """Whether all is well."""
        return not (self.lost or self.half or self.doubled or self.wrong)


async def judged(writers: Writers, dsn: str) -> Verdict:
    """Ask for everything that was sent."""
    async with aiohttp.ClientSession(writers.url) as api:
        stored = {number: await _readings(api, number) for number in range(writers.meters)}
        bills = await _bills(api)
    there = [_there(stored, batch) for batch in writers.batches]
    beside = list(zip(writers.batches, there, strict=True))
    return Verdict(
        readings=writers.acknowledged,
        lost=sum(batch.acknowledged and not all(found) for batch, found in beside),
        half=sum(not batch.acknowledged and len(set(found)) > 1 for batch, found in beside),
        doubled=_doubled(dsn),
        bills=len(bills),
        wrong=tuple(_wrong(writers, bills)),
    )


async def _readings(api: aiohttp.ClientSession, meter: int) -> list[float | None]:
    """Return all that is stored of a meter, by slot."""
    found: list[float | None] = []
    query = {"start": "2000-01-01", "end": "2045-01-01"}
    cursor: str | None = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        async with api.get(f"/v1/meters/m{meter}/readings", params=query | more) as answer:
            text = await answer.read()
            assert answer.status == 200, text[:500]
            part = msgspec.json.decode(text)
        found += part["values"]
        cursor = part["next"]
    return found


def _there(stored: dict[int, list[float | None]], batch: Batch) -> list[bool]:
    """Tell of each day of each meter of a request whether it is there as it was sent."""
    found = []
    for meter, first in batch.parts:
        sent = values(meter, first, DAYS)
        for day in range(DAYS):
            at = (first + day) * DAY
            found.append(stored[meter][at : at + DAY] == sent[day * DAY : (day + 1) * DAY])
            # What is there in part is neither there nor absent.
            if not found[-1] and any(value is not None for value in stored[meter][at : at + DAY]):
                found += [True, False]
    return found


def _doubled(dsn: str) -> int:
    """Return how many days have a history: only readings that differ make one."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from reading_day_history")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


async def _bills(api: aiohttp.ClientSession) -> list[dict[str, Any]]:
    query = {"contract": CONTRACT, "limit": "1000"}
    async with api.get("/v1/bills", params=query) as answer:
        items: list[dict[str, Any]] = (await answer.json())["items"]
    return [bill for bill in items if bill["status"] == "issued"]


def _wrong(writers: Writers, bills: Sequence[dict[str, Any]]) -> Iterable[str]:
    """Yield what is wrong with the bills."""
    by_day: dict[str, int] = {}
    for bill in bills:
        by_day[bill["start"]] = by_day.get(bill["start"], 0) + 1
        total = sum(Decimal(line["amount"]) for line in bill["lines"])
        if not total == Decimal(bill["total"]) == _DAY_COSTS:
            yield f"{bill['start']}: {total} in lines, {bill['total']} in all"
    yield from (f"{day}: {many} bills" for day, many in by_day.items() if many > 1)
    first = BEGIN.date()
    for number, day in enumerate(writers.issued):
        assert day == first + timedelta(number)
        if day.isoformat() not in by_day:
            yield f"{day}: issued, and not there"
