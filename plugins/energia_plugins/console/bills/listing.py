"""A list of bills: each with its difference to the one before, and what is said of all."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs
from markupsafe import Markup

from energia_plugins.console import svg
from energia_plugins.console.page import marked

#: What the statuses of bills are called.
STATUSES: Final = {
    "draft": marked("Draft"),
    "issued": marked("Issued"),
    "corrected": marked("Corrected by another"),
}
_BAR: Final = 140


@attrs.frozen
class Row:
    """A bill of the list.

    Attributes:
        bill: The bill.
        before: The total of the period before, where that is listed and in force.
        bar: Its total beside the largest of its currency.

    """

    bill: Mapping[str, Any]
    before: Decimal | None
    bar: Markup

    @property
    def difference(self) -> Decimal | None:
        """What it is more than the period before."""
        return None if self.before is None else Decimal(self.bill["total"]) - self.before

    @property
    def share(self) -> Decimal | None:
        """The same as a share of the period before."""
        difference = self.difference
        return None if difference is None or not self.before else difference / self.before

    @property
    def status(self) -> str:
        """What its status is called, in English."""
        if self.bill["status"] == "issued" and self.bill.get("corrects"):
            return marked("Issued, a correction")
        if self.bill["status"] == "draft" and self.bill.get("corrects"):
            return marked("Draft of a correction")
        return STATUSES[self.bill["status"]]


def rows_of(bills: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return bills as the rows of a list, in their order."""
    in_force = {
        (bill["contract"], bill["end"], bill["currency"]): Decimal(bill["total"])
        for bill in bills
        if bill["status"] == "issued"
    }
    highest: dict[str, Decimal] = {}
    for bill in bills:
        known = highest.get(bill["currency"], Decimal(0))
        highest[bill["currency"]] = max(known, Decimal(bill["total"]))
    return [
        Row(
            bill,
            in_force.get((bill["contract"], bill["start"], bill["currency"])),
            _bar(bill, highest[bill["currency"]]),
        )
        for bill in bills
    ]


def _bar(bill: Mapping[str, Any], highest: Decimal) -> Markup:
    """Return a bar: grey, an outline for a draft, nothing for what is not in force any more."""
    drawn = []
    total = Decimal(bill["total"])
    if highest > 0 and total > 0 and bill["status"] != "corrected":
        width = max(1.0, _BAR * float(total / highest) - 1)
        class_ = "forecast" if bill["status"] == "draft" else "grey"
        drawn.append(svg.rect(0.5, 5.5, width, 9, class_))
    size = {"width": _BAR, "height": 20, "viewBox": f"0 0 {_BAR} 20"}
    return svg.tag("svg", *drawn, **size, aria_hidden="true", focusable="false")
