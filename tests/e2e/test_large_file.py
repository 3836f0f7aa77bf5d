"""A short version of `make rehearse-import`, and whether it would see what it looks for."""

import aiohttp
import pytest

from tests.rehearsals.large_file import (
    MEGABYTE,
    MEMORY,
    Found,
    faults,
    imported,
    measured_service,
    pieces,
)


# Fifteen seconds: half a million readings, in the process that an operator runs.
@pytest.mark.long
async def test_a_file_is_imported_in_little_memory_while_others_are_answered(
    database: str,
) -> None:
    """The service takes no more for the file, and its loop computes for no longer than a blink.

    How long the loop waits for a processor is the machine's doing, on which tests run side by side.
    """
    async with measured_service(database) as service, aiohttp.ClientSession(service.url) as api:
        found = await imported(service, api, 32 * MEGABYTE)

    assert found.readings > 500_000
    assert found.memory < MEMORY
    assert found.computed < 0.05, found.stalls


def test_a_file_is_of_the_size_that_is_asked_for() -> None:
    """Its rows are whole, and each is of one meter."""
    made = b"".join(pieces(MEGABYTE))
    rows = made.splitlines()[1:]

    assert 0 <= MEGABYTE - len(made) < 200
    assert {len(row.split(b",")) for row in rows} == {6}
    assert {row[:10] for row in rows} == {b"meter-0000"}


def test_memory_and_stalls_are_named() -> None:
    """Each is a fault beyond its limit; what the machine lets wait is none."""
    waiting = {"seconds": 0.25, "cpu": 0.001, "waited": 0.2}
    well = Found(1, 1, 1.0, 63.0, [waiting])
    ill = Found(1, 1, 1.0, 65.0, [{"seconds": 0.051, "cpu": 0.001, "waited": 0.0}])

    assert faults(well) == []
    assert faults(ill) == [
        "memory is 65 MB above that at rest",
        "the event loop stalled for 51 ms",
    ]
