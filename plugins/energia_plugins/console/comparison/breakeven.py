"""Asks the API what the tariffs cost with more and with less energy in the peak."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import attrs
import numpy as np

from energia.errors import EnergiaError
from energia.work import off_loop
from energia_plugins.console.comparison.asked import Json
from energia_plugins.console.comparison.costs import Priced, Question, reason
from energia_plugins.console.comparison.shifting import (
    Bools,
    Change,
    Curve,
    Floats,
    Ints,
    Moved,
    change,
    curve,
    moved,
    numbers,
)
from energia_plugins.console.page import View
from energia_plugins.console.periods import letter_of

_IMPORT: Final = "import"
#: More readings than this are too dear for a page: two years of quarter-hours.
_SLOTS: Final = 71_000


@attrs.frozen
class BreakEven:
    """What tariffs cost by the share of the energy that is in the peak.

    Attributes:
        reference: The tariff whose peak it is.
        share: The share as it was read.
        kwh: The energy in the peak, as it was read.
        energy: All of it.
        curves: A line for each tariff that has one.
        crooked: The names of tariffs whose costs are on no line.
        change: Where another one becomes the cheapest, if anywhere.

    """

    reference: Priced
    share: Fraction
    kwh: Fraction
    energy: Fraction
    curves: tuple[Curve, ...]
    crooked: tuple[str, ...]
    change: Change | None


@attrs.frozen
class Untold:
    """Why there is no break-even.

    Attributes:
        why: For a person.

    """

    why: str


async def break_even(
    view: View, question: Question, priced: Sequence[Priced], contract: str | None
) -> BreakEven | Untold | None:
    """Return when another tariff would be the cheapest; None where no tariff has a peak.

    Args:
        view: Of the page.
        question: What was priced.
        priced: The tariffs, the customer's own first.
        contract: The contract of the first one.

    """
    reference = next((each for each in priced if _has_peak(each)), None)
    if reference is None or len(priced) < 2:
        return None
    channels = _channels(question)
    if channels is None:
        return Untold(view.text("several channels of the meter are added up"))
    own = contract if reference is priced[0] else None
    try:
        readings = {role: await _readings(view, question, one) for role, one in channels.items()}
        if len(readings[_IMPORT]["values"]) > _SLOTS:
            return Untold(view.text("there are too many readings; ask for fewer months"))
        shifted = await _shifted(view, reference, readings[_IMPORT], own)
        if shifted is None:
            return Untold(view.text("nothing can be moved between the peak and other hours"))
        costs = [
            await _costs(view, question, priced, readings, values)
            for values in (shifted.less, shifted.more)
        ]
    except EnergiaError as error:
        return Untold(reason(view, error))
    return _answer(priced, reference, shifted, costs)


async def _shifted(
    view: View, reference: Priced, readings: Json, contract: str | None
) -> Moved | None:
    """Return the readings with more and with less in the peak of a tariff."""
    prices = await view.api.call(
        "get_tariff_prices",
        tariff=reference.id,
        start=readings["start"],
        end=readings["end"],
        resolution=readings["interval"],
        **({"contract": contract} if contract else {}),
    )
    return await off_loop(_moved, readings, prices["data"])


def _has_peak(priced: Priced) -> bool:
    periods = {str(line["period"]) for line in priced.lines if line.get("period")}
    return any(letter_of(name, periods) == "p" for name in periods)


def _channels(question: Question) -> dict[str, Json] | None:
    """Return the channel of each role; None where several are added up, or the import is none."""
    found = dict[str, Json]()
    for channel in question.meter["channels"]:
        direction = channel["direction"]
        energy = channel["quantity"] == "active_energy"
        role = direction if energy else f"{channel['quantity']}.{direction}"
        if role in found:
            return None
        found[role] = channel
    if _IMPORT not in found or question.channels:
        return None
    interval = found[_IMPORT]["interval"]
    return {role: one for role, one in found.items() if one["interval"] == interval}


async def _readings(view: View, question: Question, channel: Json) -> dict[str, Any]:
    """Return all readings of a channel in the window, as one answer."""
    window = question.window
    asked = {
        "meter": question.meter["id"],
        "channel": channel["id"],
        "start": window.start.isoformat(),
        "end": window.end.isoformat(),
    }
    whole: dict[str, Any] = await view.api.call("get_readings", **asked)
    following = whole["next"]
    while following and len(whole["values"]) <= _SLOTS:
        part = await view.api.call("get_readings", **asked, cursor=following)
        whole["values"] += part["values"]
        whole["end"], following = part["end"], part["next"]
    return {**whole, "unit": channel["unit"], "interval": channel["interval"]}


def _moved(readings: Json, slots: Sequence[Json]) -> Moved | None:
    count = min(len(readings["values"]), len(slots))
    values: Floats = np.array(readings["values"][:count], np.float64)
    periods = [slot.get("period") or "" for slot in slots[:count]]
    among = set(periods)
    peaks = {name for name in among if letter_of(name, among) == "p"}
    in_peak: Bools = np.array([period in peaks for period in periods], np.bool_)
    months: Ints = np.array([_month(slot["start"]) for slot in slots[:count]], np.int64)
    return moved(values, in_peak, months)


def _month(stamp: str) -> int:
    return int(stamp[:4]) * 12 + int(stamp[5:7])


async def _costs(
    view: View,
    question: Question,
    priced: Sequence[Priced],
    readings: Mapping[str, Json],
    values: Floats,
) -> dict[str, Fraction]:
    """Return what other readings cost, by the ids of the tariffs."""
    taken = readings[_IMPORT]
    channels = {
        role: {"start": one["start"], "unit": one["unit"], "values": one["values"]}
        for role, one in readings.items()
    }
    channels[_IMPORT] = {**channels[_IMPORT], "values": numbers(values)}
    usage = {"timezone": question.zone, "interval": taken["interval"], "channels": channels}
    documents = [each.document for each in priced]
    body = {
        **question.body(*documents),
        "usage": usage,
        "tariffs": [each.id for each in priced],
    }
    compared = await view.api.call("compare_costs", body=body)
    return {ranked["tariff"]: Fraction(ranked["total"]) for ranked in compared["ranking"]}


def _answer(
    priced: Sequence[Priced],
    reference: Priced,
    shifted: Moved,
    costs: Sequence[Mapping[str, Fraction]],
) -> BreakEven:
    less, more = costs
    kwh = Fraction(shifted.kwh)
    curves, crooked = list[Curve](), list[str]()
    for each in priced:
        found = curve(each.id, (less[each.id], Fraction(each.total), more[each.id]), kwh)
        if found is None:
            crooked.append(each.name)
        else:
            curves.append(found)
    share, energy = Fraction(shifted.share), Fraction(shifted.energy)
    cheapest = min(priced, key=lambda each: each.total)
    is_told = cheapest.name not in crooked
    return BreakEven(
        reference=reference,
        share=share,
        kwh=Fraction(shifted.peak),
        energy=energy,
        curves=tuple(curves),
        crooked=tuple(crooked),
        change=change(curves, cheapest.id, share, energy) if is_told else None,
    )
