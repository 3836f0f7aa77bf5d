"""Runs the attacks and prints what each cost: `make attack`."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import aiohttp
import attrs

from energia.db.connect import connected
from energia.settings import Database
from tests.attack.attacks import ATTACKS, Attack, Target, prepare
from tests.attack.target import Ceiling, Cost, measured
from tests.e2e.service import Service, serving

_HEAD = "| attack | said | seconds | CPU s | peak MB | kept MB | live ms | ready ms | |\n"


@attrs.frozen
class Outcome:
    """What one attack did.

    Attributes:
        attack: The attack.
        said: How often what was said.
        cost: What it cost.

    """

    attack: Attack
    said: Counter[str]
    cost: Cost

    def broken(self) -> list[str]:
        """Return the limits that were not kept."""
        limits, cost = self.attack.limits, self.cost
        found = [] if cost.broken_off is None else [cost.broken_off]
        found += [f"said {said}" for said in self.said if said not in limits.said]
        for name, most, is_ in (
            ("CPU s", limits.cpu, cost.cpu),
            ("peak MB", limits.memory, cost.peak),
            ("live s", limits.live, cost.live),
            ("seconds", limits.seconds, cost.seconds),
        ):
            if most is not None and is_ > most:
                found.append(f"{name} {is_:.2f} > {most:g}")
        return found

    def row(self) -> str:
        """Return it as a row of a table."""
        cost, said = self.cost, ", ".join(f"{many} x {one}" for one, many in self.said.items())
        numbers = f"{cost.seconds:.2f} | {cost.cpu:.2f} | {cost.peak:.0f} | {cost.kept:.0f}"
        health = f"{1000 * cost.live:.0f} | {1000 * cost.ready:.0f}"
        what = f"`{self.attack.name}`: {self.attack.what}"
        return f"| {what} | {said} | {numbers} | {health} | {'; '.join(self.broken())} |"

    def json(self) -> dict[str, object]:
        """Return it as JSON."""
        about = {"attack": self.attack.name, "said": dict(self.said), "broken": self.broken()}
        return {**about, **attrs.asdict(self.cost)}


async def attacked(service: Service, dsn: str, attack: Attack, ceiling: Ceiling) -> Outcome:
    """Attack a service, and return what it cost."""
    said: Sequence[str] = ()
    limit = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(service.url, timeout=limit) as api:
        target = Target(api, service.url, dsn)
        await prepare(target)
        async with measured(service, ceiling) as cost:
            said = await attack.send(target)
    return Outcome(attack, Counter(said), cost)


async def run(attacks: Iterable[Attack], ceiling: Ceiling) -> list[Outcome]:
    """Run attacks, each on a service that has just started, and print each when it is over."""
    found = []
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        Path(folder).chmod(0o755)
        async with connected(Database(url=f"embedded:{folder}/db")) as dsn:
            for attack in attacks:
                async with serving(dsn) as service:
                    found.append(await attacked(service, dsn, attack, ceiling))
                print(found[-1].row(), file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Run what the options say; exits with 1 if a limit was not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=[attack.name for attack in ATTACKS])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=Ceiling().seconds)
    parser.add_argument("--memory", type=float, default=Ceiling().memory, help="MB")
    given = parser.parse_args()
    chosen = [attack for attack in ATTACKS if not given.only or attack.name in given.only]
    found = asyncio.run(run(chosen, Ceiling(given.seconds, given.memory)))
    if given.json:
        print(json.dumps([outcome.json() for outcome in found], indent=1))
    else:
        print(_HEAD + "|---" * 9 + "|")
        print("\n".join(outcome.row() for outcome in found))
    sys.exit(any(outcome.broken() for outcome in found))


if __name__ == "__main__":
    main()
