"""A short version of `make soak`: memory stays flat while the service works."""

from benchmarks.soak import growth, soak

#: In MB: far below what one leaked answer a request would take.
MOST = 8.0


async def test_memory_stays_flat(database: str) -> None:
    """Hundreds of queries and of bills leave a real process as large as it was once warm."""
    found = await soak(database, queries=500, bills=50)

    assert {name: growth(memory) for name, memory in found.items() if growth(memory) > MOST} == {}
    assert all(len(memory) >= 10 for memory in found.values())


def test_a_leak_is_noticed() -> None:
    """Memory that grows with every request is told from a heap that has warmed up."""
    warm = [60, 78, *([80] * 48)]
    leaking = [60 + 0.5 * sample for sample in range(50)]

    assert growth([float(one) for one in warm]) == 0
    assert growth(leaking) > MOST
