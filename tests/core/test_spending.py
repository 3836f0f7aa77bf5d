"""What a request costs, and the room that it takes in memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from energia.errors import Busy
from energia.spending import ACCOUNT, Account, Room, hold


@contextmanager
def request(room: Room) -> Iterator[Account]:
    """Answer a request in the block."""
    account = Account(room=room)
    token = ACCOUNT.set(account)
    try:
        yield account
    finally:
        ACCOUNT.reset(token)


def test_room_is_given_back() -> None:
    """What a request holds is free again when it is answered."""
    room = Room(10)
    with request(room) as account:
        hold(4)
        hold(5)
        assert room.taken == 9
        account.close()

    assert room.taken == 0


def test_others_are_refused() -> None:
    """Who would hold more than there is beside others is told to come again; others are not."""
    room = Room(10)
    with request(room):
        hold(8)
        with request(room):
            with pytest.raises(Busy, match=r"limits\.memory_bytes \(10\)"):
                hold(3)
            hold(2)

    assert room.taken == 10


def test_who_is_alone_has_all_the_room_there_is() -> None:
    """A request that `limits.slots` allows is not refused for its size."""
    room = Room(10)
    with request(room):
        hold(11)
        hold(1)

    assert room.taken == 12


def test_a_command_holds_what_it_wants() -> None:
    """There is no account, and nobody else."""
    hold(10**9)
