"""Short versions of `make chaos`: what was acknowledged is there, and nothing is there by half."""

import pytest

from tests.rehearsals.chaos.__main__ import faults, rehearse
from tests.rehearsals.chaos.faults import CLOCK, DATABASE, DISK, NETWORK, SERVICE


# Some ten seconds: the service and the database start again, and the network is away for a while.
async def test_nothing_is_lost_in_kills_and_cuts() -> None:
    """Kills with writes in flight, and a network that fails, lose and halve nothing."""
    slow, _, lost, cut = NETWORK
    plan = [DATABASE, slow, SERVICE, cut, lost]

    world, found = await rehearse(plan, 10_000, writers=4, calm=1_000, meters=8)

    assert found.good, found
    assert found.readings >= 10_000
    assert found.bills > 0
    assert len(world.kills) == 2
    assert all(world.kills)


@pytest.mark.long
@pytest.mark.needs("tmpfs")
async def test_nothing_is_lost_on_a_full_disk() -> None:
    """A database without room stores nothing by half, and goes on when there is room again."""
    _, found = await rehearse([DISK], 10_000, writers=4, calm=3_000, meters=8)

    assert found.good, found


@pytest.mark.long
@pytest.mark.needs("faketime")
async def test_a_clock_that_jumps_loses_nothing() -> None:
    """Service and database whose clock goes an hour ahead and a day back store all the same."""
    _, found = await rehearse([CLOCK], 10_000, writers=4, calm=3_000, meters=8)

    assert found.good, found


def test_the_whole_rehearsal_has_everything() -> None:
    """Of 20 kills half are of the service, half of the database; every other fault is there too."""
    plan = list(faults(20, disk=True))

    assert plan.count(SERVICE) == plan.count(DATABASE) == 10
    assert {*NETWORK, DISK} <= set(plan)
