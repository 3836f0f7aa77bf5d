"""What a correction changes: the lines of two bills beside each other."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs


@attrs.frozen
class Change:
    """A line before and after.

    Attributes:
        name: What it is called.
        unit: The unit of its quantities.
        quantities: Before and after; None where there is none.
        amounts: Before and after; None where the line is not there.

    """

    name: str
    unit: str | None
    quantities: tuple[str | None, str | None]
    amounts: tuple[str | None, str | None]

    @property
    def difference(self) -> Decimal:
        """What it is more than before."""
        before, after = (Decimal(amount or 0) for amount in self.amounts)
        return after - before

    @property
    def is_other(self) -> bool:
        """Whether anything changed; what costs nothing, as a tax within prices, does not count."""
        if not any(Decimal(amount or 0) for amount in self.amounts):
            return False
        return bool(self.difference) or self.quantities[0] != self.quantities[1]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return the lines of a bill and of its correction, those that changed alone."""
    return [change for change in _paired(before["lines"], after["lines"]) if change.is_other]


def _paired(before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    olds = {_key(line): line for line in before}
    news = {_key(line): line for line in after}
    for key in dict.fromkeys([*news, *olds]):
        old, new = olds.get(key), news.get(key)
        either = new or old or {}
        yield Change(
            either["description"],
            either.get("unit"),
            (_get(old, "quantity"), _get(new, "quantity")),
            (_get(old, "amount"), _get(new, "amount")),
        )


def _key(line: Mapping[str, Any]) -> tuple[str, str | None]:
    return line["code"], line.get("version")


def _get(line: Mapping[str, Any] | None, name: str) -> str | None:
    return None if line is None else line.get(name)


def energy_of(bill: Mapping[str, Any]) -> Decimal | None:
    """Return the kWh of a bill, each charge's once; None where no line has any.

    A charge of several components has a line for each, all of the same energy.
    """
    charged: dict[str, dict[tuple[str | None, str | None], Decimal]] = {}
    for line in bill["lines"]:
        if line.get("unit") == "kWh" and line.get("quantity"):
            charge = line["code"].partition(".")[0]
            key = line.get("period"), line.get("version")
            charged.setdefault(charge, {})[key] = Decimal(line["quantity"])
    sums = [sum(of_charge.values(), Decimal(0)) for of_charge in charged.values()]
    return max(sums, default=None)
