"""The last bills of a meter, a line each."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from energia_plugins.console.overview.figures import change
from energia_plugins.console.overview.subject import attempted
from energia_plugins.console.page import View, marked
from energia_plugins.console.periods import letter_of
from energia_plugins.console.words import capital

Json = Mapping[str, Any]
_NONE: Final = "\N{EN DASH}"
#: How many are shown; so many more are asked for, as those that were corrected are left out.
SHOWN: Final = 6
_ASKED: Final = "24"
_POWERS: Final = ("kW", "kVA")
_STATUS: Final[Mapping[str, str]] = {
    "draft": marked("draft"),
    "issued": marked("issued"),
    "correction": marked("issued, a correction"),
    "correcting": marked("draft of a correction"),
}


@attrs.frozen
class BillRow:
    """A bill in the table, as texts.

    Attributes:
        url: Where it is.
        month: Its period: the month that it is of, else its days.
        usage: What was used, in kWh.
        in_peak: Which share of that in peak.
        demand: The power that is charged, in kW.
        total: What is to be paid.
        change: From the bill before, in per cent.
        status: How it stands.

    """

    url: str
    month: str
    usage: str
    in_peak: str
    demand: str
    total: str
    change: str
    status: str


@attrs.frozen
class LastBills:
    """The last bills of a meter.

    Attributes:
        currency: What they are paid in, as it is written.
        rows: The bills, the newest first.
        has_demand: Whether any charges power.
        has_peak: Whether any has a peak period.

    """

    currency: str
    rows: Sequence[BillRow]

    @property
    def has_demand(self) -> bool:
        """Whether any charges power."""
        return any(row.demand != _NONE for row in self.rows)

    @property
    def has_peak(self) -> bool:
        """Whether any has a peak period."""
        return any(row.in_peak != _NONE for row in self.rows)


async def last_bills(view: View, meter: str) -> LastBills | None:
    """Return the last bills of a meter that are in force; None without any."""
    if not view.api.may("list_bills"):
        return None
    page = await attempted(view.api.call("list_bills", meter=meter, limit=_ASKED))
    bills = [bill for bill in (page or {"items": ()})["items"] if bill["status"] != "corrected"]
    if not bills:
        return None
    bills.sort(key=lambda bill: bill["start"], reverse=True)
    before = [*bills[1:], None]
    rows = [_row(view, bill, prior) for bill, prior in zip(bills, before, strict=True)]
    return LastBills(view.words.symbol(bills[0]["currency"]), rows[:SHOWN])


def _row(view: View, bill: Json, before: Json | None) -> BillRow:
    words, used = view.words, _used(bill)
    total, peak = sum(used.values(), Decimal(0)), _in_peak(used)
    demand = _demand(bill)
    return BillRow(
        url=view.url(f"/console/bills/{bill['id']}"),
        month=_period(view, bill),
        usage=words.number(total, 0) if used else _NONE,
        in_peak=words.percent(peak / total, 1) if peak is not None and total else _NONE,
        demand=_NONE if demand is None else words.number(demand, 1),
        total=words.number(bill["total"], 2),
        change=_change(view, bill, before),
        status=capital(view.text(_STATUS[_status(bill)])),
    )


def _status(bill: Json) -> str:
    is_correction = bill.get("corrects") is not None
    if bill["status"] == "draft":
        return "correcting" if is_correction else "draft"
    return "correction" if is_correction else "issued"


def _period(view: View, bill: Json) -> str:
    """Return the month that a bill is of; its days where it is of no calendar month."""
    start, end = bill["start"], bill["end"]
    if start.endswith("-01") and end.endswith("-01"):
        return capital(view.words.month(start))
    first = view.words.day(start)
    last = view.words.last_day(end, year=True)
    return view.text("%(first)s to %(last)s", first=first, last=last)


def _used(bill: Json) -> dict[str, Decimal]:
    """Return how much energy a bill charges in each period, by its name.

    It is that of the charge with the most: others add something to the same energy, and each part
    of a price, as TUSD and TE, has the same quantity.
    """
    by_charge: dict[str, dict[str, Decimal]] = {}
    for line in bill["lines"]:
        if line.get("unit") == "kWh" and "quantity" in line:
            found = by_charge.setdefault(line["code"].partition(".")[0], {})
            period = line.get("period", "")
            found[period] = max(found.get(period, Decimal(0)), Decimal(line["quantity"]))
    return max(by_charge.values(), key=lambda one: sum(one.values()), default={})


def _in_peak(used: Mapping[str, Decimal]) -> Decimal | None:
    found = [value for name, value in used.items() if letter_of(name, list(used)) == "p"]
    return sum(found, Decimal(0)) if found else None


def _demand(bill: Json) -> Decimal | None:
    """Return the highest power that a bill charges as measured."""
    found = [
        Decimal(line["quantity"])
        for line in bill["lines"]
        if line.get("unit") in _POWERS and not line["code"].endswith((".unused", ".overrun"))
    ]
    return max(found, default=None)


def _change(view: View, bill: Json, before: Json | None) -> str:
    if before is None or before["currency"] != bill["currency"]:
        return _NONE
    return change(view.words, Decimal(bill["total"]), Decimal(before["total"]))
