"""Files that are stored part by part: as one import would store them, but each part at once."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from energia.db.tenant import Tenant
from energia.errors import Invalid
from energia.metering.decoders import Defaults, Problem, Reading, Readings, Run
from energia.metering.files import Spool
from energia.metering.imports import Intake, StoredPart
from energia.metering.outcome import Problems
from energia.settings import Settings
from tests.core.metering.setting import START, FixedClock, meter

HOUR = 3600


class Items:
    """A decoder that yields what it was given."""

    name = "items"
    options = type(None)

    def __init__(self, *items: Reading | Run | Problem) -> None:
        """Remember the items."""
        self._items = items

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterable[Any]:
        """Yield them."""
        assert b"".join(chunks) == b"file"
        yield from self._items


def reading(line: int, hour: int, value: str = "1") -> Reading:
    """Return the reading of an hour."""
    return Reading(line, Decimal(value), START + hour * HOUR)


async def stored(
    tenant: Tenant, *items: Reading | Run | Problem, first: int = 1, size: int = 2
) -> list[StoredPart]:
    """Store items in parts, and return them."""
    intake = Intake.of(Settings(), FixedClock(), tenant)
    parts = intake.parts(
        *([b"file"], Items(*items), None, Defaults("m")),  # type: ignore[arg-type]
        first=first,
        size=size,
    )
    return [part async for part in parts]


async def values(tenant: Tenant) -> list[int]:
    """Return what is stored, in the order of time."""
    return await tenant.fetch(int, "select value from reading order by start_at")


async def test_a_part_ends_between_two_lines(tenant: Tenant) -> None:
    """A line may have several readings: they stay together, and the last line is told."""
    await meter(tenant)
    lines = (2, 2, 2, 3, 4, 5)

    parts = await stored(tenant, *(reading(line, hour) for hour, line in enumerate(lines)))

    assert [(part.line, part.outcome.created) for part in parts] == [(2, 3), (4, 2), (5, 1)]
    assert len({part.outcome.import_ for part in parts}) == 3


async def test_a_file_goes_on_from_a_line(tenant: Tenant) -> None:
    """What is before it is left out."""
    await meter(tenant)

    parts = await stored(tenant, *(reading(line, line) for line in range(1, 6)), first=4)

    assert [(part.line, part.outcome.received) for part in parts] == [(5, 2)]


@pytest.mark.parametrize("item", [("2026-01-01", 1), Reading(1, 0.5, START)])  # type: ignore[arg-type]
async def test_what_is_no_reading_names_the_format(tenant: Tenant, item: Any) -> None:
    """Whoever wrote the decoder sees in the log which one it was, in one import or in parts."""
    await meter(tenant)
    intake = Intake.of(Settings(), FixedClock(), tenant)
    decoder: Any = Items(item)

    with pytest.raises(AttributeError) as whole:
        await intake.file([b"file"], decoder, None, Defaults("m"))
    with pytest.raises(AttributeError) as divided:
        await stored(tenant, item)

    assert whole.value.__notes__ == divided.value.__notes__ == ["in a file of the format items"]


async def test_lines_without_an_order(tenant: Tenant) -> None:
    """No line tells how far a file has come, and none can be gone on from."""
    await meter(tenant)
    items = [reading(line, line) for line in (4, 5, 2, 3)]

    assert [part.line for part in await stored(tenant, *items)] == [5, None]
    with pytest.raises(Invalid, match="come in no order"):
        await stored(tenant, *items, first=3)


async def test_a_part_that_is_wrong(tenant: Tenant) -> None:
    """It stores nothing; what came before it stays."""
    await meter(tenant)
    rows = [reading(1, 1), reading(2, 2), reading(3, 3)]

    with pytest.raises(Invalid, match="no reading"):
        await stored(tenant, *rows, Problem(4, "bad", "no reading"))

    assert await values(tenant) == [1, 1]


async def test_a_slot_that_comes_again_in_another_part(tenant: Tenant) -> None:
    """Equal values are repeats; another value is refused, as within one import."""
    await meter(tenant)
    again: list[Reading] = [reading(1, 1), reading(2, 2), reading(3, 1), reading(4, 2)]

    parts = await stored(tenant, *again)
    with pytest.raises(Invalid) as refused:
        await stored(tenant, *again[:3], reading(4, 2, "3"))

    assert [(part.outcome.created, part.outcome.repeated) for part in parts] == [(2, 0), (0, 2)]
    assert [(one.code, one.line) for one in refused.value.faults] == [("duplicate_in_request", 4)]


async def test_the_run_that_was_published_last_stands(tenant: Tenant) -> None:
    """Whichever part it comes in: an earlier one that comes later is superseded."""
    await meter(tenant)

    def run(line: int, published: int, value: str) -> Run:
        values = [Decimal(value)] * 2
        return Run(line, START, HOUR, values, meter="m", published=published)

    other = Run(2, START + 4 * HOUR, HOUR, [Decimal(7)] * 2, meter="m", published=5)
    parts = await stored(tenant, run(1, 9, "5"), other, run(3, 8, "6"))

    told = [(part.outcome.created, part.outcome.superseded) for part in parts]
    assert told == [(2, 0), (2, 0), (0, 2)]
    assert await values(tenant) == [5, 5, 7, 7]


async def test_a_dry_run(tenant: Tenant) -> None:
    """What would be stored, changed and refused is told, and nothing is."""
    await meter(tenant)
    intake = Intake.of(Settings(), FixedClock(), tenant)
    await stored(tenant, reading(1, 1))

    outcome = await intake.file(
        *([b"file"], Items(reading(1, 1, "2"), reading(2, 2)), None, Defaults("m")),  # type: ignore[arg-type]
        dry_run=True,
    )

    assert (outcome.import_, outcome.created, outcome.corrected) == (None, 1, 1)
    assert await values(tenant) == [1]
    assert await tenant.fetch(int, "select count(*) from import") == [1]


@pytest.mark.parametrize(
    ("meter", "lines"), [(None, [2, 3, 4]), ("m", [3])], ids=["without a meter", "no number"]
)
async def test_readings_that_come_together_are_refused_one_by_one(
    meter: str | None, lines: list[int]
) -> None:
    """Each line that cannot be stored is told, and the others of it are stored."""
    problems = Problems()
    together = Readings([2, 3, 4], [Decimal(1), Decimal("NaN"), None], [0, 900, 1800], meter=meter)

    async with Spool.opened() as spool:
        spool.fill([together], Defaults(), problems, 10)

    assert [fault.line for fault in problems.listed()] == lines
    assert (spool.received, problems.rejected) == (3, len(lines))
