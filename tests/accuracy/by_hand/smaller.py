"""Makes a random tariff that differs smaller, as long as it differs."""

from collections.abc import Callable, Iterator

import attrs

from tests.accuracy.by_hand.drawn import Drawn


def smaller(drawn: Drawn, differs: Callable[[Drawn], bool]) -> Drawn:
    """Return the least that is left of *drawn* when all is taken away that need not be there."""
    for simpler in _simpler(drawn):
        if differs(simpler):
            return smaller(simpler, differs)
    return drawn


def _simpler(drawn: Drawn) -> Iterator[Drawn]:
    """Yield it with fewer bills, versions and charges, and without fields that may be missing."""
    if len(drawn.bounds) > 2:
        yield attrs.evolve(drawn, bounds=drawn.bounds[:-1])
        yield attrs.evolve(drawn, bounds=drawn.bounds[1:])
    versions = drawn.tariff["versions"]
    if len(versions) > 1:
        rest = versions[:-1]
        open_ended = {name: value for name, value in rest[-1].items() if name != "valid_to"}
        yield _with(drawn, [*rest[:-1], open_ended])
        first = {**versions[1], "valid_from": versions[0]["valid_from"]}
        yield _with(drawn, [first, *versions[2:]])
    for code in [charge["code"] for charge in versions[-1]["charges"]]:
        yield _with(
            drawn,
            [
                {**version, "charges": [one for one in version["charges"] if one["code"] != code]}
                for version in versions
            ],
        )
    for field in ("rounding", "holidays", "weekend_days"):
        if any(version.get(field) for version in versions):
            yield _with(
                drawn,
                [
                    {name: value for name, value in version.items() if name != field}
                    for version in versions
                ],
            )


def _with(drawn: Drawn, versions: list[dict[str, object]]) -> Drawn:
    return attrs.evolve(drawn, tariff={**drawn.tariff, "versions": versions})
