"""A short version of `make attack`: what is refused costs little, and health answers all the while.

Each attack states its own limits (`tests/attack/attacks.py`).
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack

import attrs
import pytest

from tests.attack.__main__ import Outcome, attacked
from tests.attack.attacks import ATTACKS, Attack, Limits
from tests.attack.target import Ceiling, Cost, pace
from tests.databases import Databases
from tests.e2e.service import Service, serving

#: Lower than by hand: a test that fails must not take the machine with it. Ten seconds of work that
#: is asked for rightly take three times as long beside the other tests.
CEILING = Ceiling(seconds=45, memory=800)
#: What a machine that is busy with other things breaks once; a service that is at fault, always.
BY_CHANCE = {"live", "CPU"}
#: One of each kind; `make test-all` holds them all, but those that wait for time-outs.
SHORT = {"honest", "doubling", "duplicate-keys", "opposed-writers", "usage-by-day-20"}
SHORT |= {"prices-4.9-MB", "faulty-items", "unknown-keys", "cursors"}
HELD = [
    pytest.param(attack, id=attack.name, marks=[] if attack.name in SHORT else pytest.mark.long)
    for attack in ATTACKS
    if not attack.slow
]


@attrs.define
class Victim:
    """One service for all attacks, as long as it survives them."""

    dsn: str
    runner: asyncio.Runner
    services: AsyncExitStack
    service: Service | None = None

    def attacked(self, attack: Attack, ceiling: Ceiling = CEILING) -> Outcome:
        """Attack it."""
        return self.runner.run(self._attacked(attack, ceiling))

    async def _attacked(self, attack: Attack, ceiling: Ceiling) -> Outcome:
        if self.service is None or self.service.process.returncode is not None:
            self.service = await self.services.enter_async_context(serving(self.dsn))
        return await attacked(self.service, self.dsn, attack, ceiling)


@pytest.fixture(name="victim", scope="module")
def _victim(databases: Databases) -> Iterator[Victim]:
    """Give a service that may be attacked."""
    with databases.fresh() as dsn, asyncio.Runner() as runner:
        services = AsyncExitStack()
        yield Victim(dsn, runner, services)
        runner.run(services.aclose())


@pytest.mark.parametrize("attack", HELD)
def test_the_attack_is_held(victim: Victim, attack: Attack) -> None:
    """An attack costs no more than it may, and health answers in time."""
    attack = attrs.evolve(attack, limits=attack.limits.at(pace()))
    found = victim.attacked(attack)
    if {fault.partition(" ")[0] for fault in found.broken()} & BY_CHANCE:
        found = victim.attacked(attack)

    assert found.broken() == []


def test_what_an_attack_costs_is_noticed() -> None:
    """Every limit that is not kept is named, with what it was."""
    attack = Attack("none", "nothing", ATTACKS[0].send, Limits(cpu=1, memory=2, live=3, seconds=4))

    outcome = Outcome(attack, Counter({"200": 1}), Cost(seconds=5, cpu=5, peak=5, live=5))

    assert outcome.broken() == [
        "said 200",
        "CPU s 5.00 > 1",
        "peak MB 5.00 > 2",
        "live s 5.00 > 3",
        "seconds 5.00 > 4",
    ]


def test_an_attack_without_end_is_broken_off(victim: Victim) -> None:
    """An attack that would go on for ever ends at the ceiling, and says so."""

    async def endless(_: object) -> list[str]:
        await asyncio.sleep(3600)
        return []

    attack = Attack("endless", "waits", endless, Limits(live=60))
    found = victim.attacked(attack, Ceiling(seconds=1))

    assert found.broken() == ["no end after 1 s"]
    assert 1 <= found.cost.seconds < 60
