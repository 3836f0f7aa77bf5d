"""What prices share in memory: so many bytes of it, the newest."""

from datetime import date

import attrs
import numpy as np
import pytest

from energia.pricing.cache import CACHE, Cache, size_of
from energia.pricing.calendar import Grid
from energia.pricing.demand.peak import begins
from energia.pricing.slots import LocalDays
from energia.time import Zone, day_number


def zeros(count: int) -> np.ndarray:
    """Return an array of so many kilobytes."""
    return np.zeros(count * 128, np.int64)


def test_what_was_computed_is_kept() -> None:
    """The same arguments give the same object, by position or by name; an error is not kept."""
    kept = Cache(1_000_000).memo(zeros)

    assert kept(3) is kept(3)
    assert kept(3) is not kept(4)
    for _ in range(2):
        with pytest.raises(ValueError, match="negative"):
            kept(-1)


def test_what_is_asked_for_again_is_computed_then() -> None:
    """The first answer is None, the second is kept."""
    cache = Cache(1_000_000)
    kept = cache.memo_again(zeros)
    first, second = kept(3), kept(3)

    assert first is None
    assert second is not None
    assert kept(3) is second
    assert cache.size > second.nbytes


def test_what_is_too_large_to_keep_is_not_computed_again_and_again() -> None:
    """It is worked out once, and from then on the answer is None."""
    kept = Cache(100 * 1024).memo_again(zeros)
    answers = [kept(90) for _ in range(4)]

    assert [answer is None for answer in answers] == [True, False, True, True]


def test_bytes_are_counted_not_entries() -> None:
    """Of many entries the ones that were used last are kept, as many as fit."""
    cache = Cache(100 * 1024)
    kept = cache.memo(zeros)
    first = kept(10)
    for count in range(11, 16):
        kept(count)
        assert kept(10) is first
    for count in range(1, 20):
        kept(count)
        assert cache.size <= cache.limit
    cache.clear()

    assert cache.size == 0
    assert kept(10) is not first


def test_what_would_push_all_others_out_is_not_kept() -> None:
    """An entry takes a quarter of the limit at most."""
    cache = Cache(100 * 1024)
    kept = cache.memo(zeros)

    assert kept(30) is not kept(30)
    assert cache.size == 0


@attrs.frozen(eq=False)
class Part:
    """Has an array, and things that have some."""

    values: np.ndarray
    others: tuple[object, ...] = ()


def test_all_of_an_object_counts_once() -> None:
    """Arrays in objects, lists and mappings count, also by a view of them, and each once."""
    values = zeros(100)

    assert size_of(Part(values, ([values], {"a": values}))) == pytest.approx(102_400, rel=0.02)
    assert size_of(Part(zeros(1), ({"a": zeros(50)[:2]},))) == pytest.approx(52_224, rel=0.04)


def test_calendars_of_centuries_do_not_pile_up() -> None:
    """Windows that differ by a day each stay within the limit, however long they are."""
    zone, before = Zone.named("Europe/Madrid"), CACHE.limit
    CACHE.limit = 2_000_000
    try:
        for day in range(60):
            start = zone.midnight(date(1950, 1, 1 + day % 28)) + day * 60
            LocalDays.between(start, day_number(date(2035, 1, 1)) * 86_400, zone)
            begins(Grid(start, 3600, 24 * 366), 7200, zone)
            assert CACHE.size <= CACHE.limit
    finally:
        CACHE.limit = before
