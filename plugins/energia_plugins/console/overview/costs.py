"""What a month costs: so far, as a whole, and on the same days of months before."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs

from energia.errors import EnergiaError, IncompleteUsage
from energia_plugins.console.overview.forecast import whole_month
from energia_plugins.console.overview.subject import Json, Subject, attempted
from energia_plugins.console.overview.windows import Month, step
from energia_plugins.console.page import View

#: How the API calls what was filled in.
_ESTIMATED = "missing_estimated"
_POWERS = ("kW", "kVA")


@attrs.frozen(eq=False)
class Cost:
    """What some days cost.

    Attributes:
        total: The sum of the lines, exact.
        lines: What the charges charge.
        estimated: How many missing slots were filled in.

    """

    total: Decimal
    lines: tuple[Json, ...]
    estimated: int = 0

    @classmethod
    def of(cls, answer: Json) -> "Cost":
        """Return what the API answers."""
        filled = (one.get("slots", 0) for one in answer["assumptions"] if one["code"] == _ESTIMATED)
        return cls(Decimal(answer["total"]), tuple(answer["lines"]), sum(filled))

    @property
    def of_demand(self) -> Decimal:
        """What of it is for power, which is paid once a month."""
        return sum((Decimal(one["amount"]) for one in self._power()), Decimal(0))

    @property
    def overrun(self) -> Decimal:
        """What of it is for power above the contract."""
        over = (one for one in self._power() if one["code"].endswith("overrun"))
        return sum((Decimal(one["amount"]) for one in over), Decimal(0))

    def _power(self) -> list[Json]:
        return [one for one in self.lines if one.get("unit") in _POWERS]

    def rates(self, unit: str) -> Mapping[str, float] | None:
        """Return what a unit costs in each period, by its name; "" is what all of them cost.

        None where that does not tell what energy costs, as where the first units are cheaper.
        """
        found: dict[str, float] = {}
        for one in self.lines:
            if one.get("unit") == unit and "rate" in one:
                period = one.get("period", "")
                found[period] = found.get(period, 0.0) + float(one["rate"])
        return found or None

    def energy(self, unit: str) -> Decimal:
        """Return what of it is for energy by its price."""
        priced = (one for one in self.lines if one.get("unit") == unit and "rate" in one)
        return sum((Decimal(one["amount"]) for one in priced), Decimal(0))


@attrs.frozen(eq=False)
class Costs:
    """What a month costs, and others.

    Attributes:
        now: So far; None where it cannot be told.
        forecast: As a whole, if it goes on alike; None where too little is known.
        before: The same days of the month before.
        year_before: The same days a year before.

    """

    now: Cost | None = None
    forecast: Cost | None = None
    before: Cost | None = None
    year_before: Cost | None = None


async def costs_of(view: View, subject: Subject) -> Costs:
    """Return what a month costs; nothing without a contract, or leave to price it."""
    if subject.contract is None or not view.api.may("compute_cost"):
        return Costs()
    month = subject.month
    asked = (
        _now(view, subject),
        _forecast(view, subject),
        _priced(view, subject, month.earlier(1)),
        _priced(view, subject, month.earlier(12)),
    )
    return Costs(*await asyncio.gather(*asked))


async def _now(view: View, subject: Subject) -> Cost | None:
    """Return what it costs so far: the bill that grows, else with what is missing filled in."""
    contract, month = subject.contract, subject.month
    assert contract is not None
    today = subject.now.astimezone(subject.zone).date()
    if view.api.may("get_cost_to_date") and month.first <= today < month.past:
        first = month.first.isoformat()
        try:
            grown = await view.api.call("get_cost_to_date", contract=contract["id"], start=first)
        except IncompleteUsage:
            pass
        except EnergiaError:
            return None
        else:
            return Cost.of(grown)
    return await _priced(view, subject, month)


async def _priced(view: View, subject: Subject, month: Month) -> Cost | None:
    body = {
        **_terms(subject),
        "meter": subject.meter["id"],
        "start": month.first.isoformat(),
        "end": month.until.isoformat(),
        "missing": "estimate",
    }
    return await _answered(view, body)


async def _forecast(view: View, subject: Subject) -> Cost | None:
    """Return what the whole month costs if the days that are left are like those that were."""
    month = subject.month
    if month.is_over or not _is_alone(subject):
        return None
    usage = whole_month(subject.readings, month, subject.zone, subject.working)
    if usage is None:
        return None
    body = {
        **_terms(subject),
        "usage": {
            "timezone": subject.site["timezone"],
            "interval": subject.channel["interval"],
            "channels": {"import": usage},
        },
        "start": month.first.isoformat(),
        "end": month.past.isoformat(),
    }
    body.pop("channels", None)
    return await _answered(view, body)


def _is_alone(subject: Subject) -> bool:
    """Tell whether the channel is all that the tariff may charge: nothing is known of others."""
    taken = [one for one in subject.meter["channels"] if one["direction"] == "import"]
    energy = [one for one in taken if one["quantity"] == "active_energy"]
    return len(energy) == 1 and step(subject.readings) <= timedelta(hours=1)


def _terms(subject: Subject) -> dict[str, Any]:
    contract = subject.contract
    assert contract is not None
    terms = {"tariff": contract["tariff"], "parameters": contract["parameters"]}
    return {**terms, **({"channels": contract["channels"]} if contract["channels"] else {})}


async def _answered(view: View, body: Json) -> Cost | None:
    answer = await attempted(view.api.call("compute_cost", body=body))
    return None if answer is None else Cost.of(answer)
