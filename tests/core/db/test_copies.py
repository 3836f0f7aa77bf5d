"""Copies of rows in memory: how many, and for how long."""

import pytest

from energia.db.copies import AGE, Copies
from energia.db.pool import Tenant


def test_those_used_last_stay() -> None:
    """Of copies that are too many bytes together, the one that was not used for longest goes."""
    copies = Copies(100)
    for key in "abcd":
        copies.keep(key, key.upper(), 25)
    copies.find("a")

    copies.keep("e", "E", 20)

    assert [copies.find(key) for key in "abcde"] == ["A", None, "C", "D", "E"]
    assert copies.size == 95


def test_a_copy_that_would_push_out_the_others_is_not_kept() -> None:
    """It takes more than a quarter of the room, and what was kept by its key is gone."""
    copies = Copies(100)
    copies.keep("a", "old", 25)

    copies.keep("a", "new", 26)

    assert (copies.find("a"), copies.size) == (None, 0)


def test_a_newer_copy_takes_the_place_of_an_older_one() -> None:
    """Its bytes count once."""
    copies = Copies(100)
    copies.keep("a", "old", 20)

    copies.keep("a", "new", 25)

    assert (copies.find("a"), copies.size) == ("new", 25)


def test_a_copy_grows_too_old() -> None:
    """It is forgotten before numbers of transactions can come again."""
    time = [0.0]
    copies = Copies(100, lambda: time[0])
    copies.keep("a", "A", 10)

    time[0] = AGE
    found = copies.find("a")
    time[0] = AGE + 1

    assert (found, copies.find("a"), copies.size) == ("A", None, 0)


@pytest.mark.parametrize("begun", ["transaction", "whole"])
async def test_there_are_none_where_something_may_have_been_written(
    tenant: Tenant, begun: str
) -> None:
    """What a transaction has written itself is not known by the transaction's number."""
    async with getattr(tenant, begun)() as queries:
        assert queries.copies is None

    async with tenant.snapshot() as reading:
        assert reading.copies is tenant.copies is not None
