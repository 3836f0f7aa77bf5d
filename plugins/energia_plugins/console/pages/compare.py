"""Compare: what a meter's readings would have cost under other tariffs."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

import attrs
from aiohttp import web

from energia import SCOPES, Routes
from energia.pricing.dates import month_after
from energia.web.panels import Subject
from energia_plugins.console.comparison.answer import Comparison
from energia_plugins.console.comparison.asked import (
    MOST,
    Asked,
    Json,
    Window,
    with_readings,
)
from energia_plugins.console.comparison.breakeven import break_even
from energia_plugins.console.comparison.costs import (
    Priced,
    Question,
    Unpriced,
    price_all,
)
from energia_plugins.console.page import View
from energia_plugins.console.panels import panels_of

#: So many meters, contracts and tariffs can be chosen from.
_LISTED: Final = 100
#: What the template shows where nothing is to be compared.
_NOTHING: Final = {
    "window": None,
    "found": None,
    "contract": None,
    "chosen": (),
    "trouble": "",
    "panels": (),
    "unpriced": (),
}
#: What the letters of the periods are the first ones of.
_LETTERS: Final = {"p": "peak", "i": "shoulder", "f": "off-peak"}
#: Where readings are looked for if the last year has none.
_FAR: Final = 20 * 12

routes = Routes(reads=tuple(SCOPES), documented=False)


@attrs.frozen
class Choice:
    """What can be compared.

    Attributes:
        meters: The meters, as the API has them.
        tariffs: The tariffs.
        contracts: The contracts, as far as who asks may see them.
        newest: Which meter was read last, of those with a contract if any has one.

    """

    meters: Sequence[Json] = ()
    tariffs: Sequence[Json] = ()
    contracts: Sequence[Json] = ()
    newest: str | None = None

    @classmethod
    async def read(cls, view: View, asked: Asked) -> "Choice":
        """Ask what there is, and what is asked for where the lists end before it.

        The contracts are those of the meter, if one is named.
        """
        of = {"meter": asked.meter} if asked.meter else {}
        meters, tariffs, contracts = await asyncio.gather(
            _items(view, "list_meters"),
            _items(view, "list_tariffs"),
            _items(view, "list_contracts", **of),
        )
        newest = None
        if not asked.meter:
            held = [str(one["meter"]) for one in contracts] or [str(one["id"]) for one in meters]
            newest = await _newest_of(view, held)
        meter = asked.meter or newest
        used = [str(one["tariff"]) for one in contracts if one["meter"] == meter]
        if meter is not None:
            meters += await _further(view, "meter", [meter], meters)
        tariffs += await _further(view, "tariff", [*asked.tariffs, *used], tariffs)
        return cls(meters, tariffs, contracts, newest)

    def meter(self, id_: str | None) -> Json | None:
        """Return the meter that is asked for; else the one that was read last, or the first."""
        wanted = id_ or self.newest
        named = [meter for meter in self.meters if meter["id"] == wanted]
        return next(iter(named or self.meters), None)

    def contract(self, meter: Json, window: Window) -> Json | None:
        """Return the newest contract of a meter that is in force in some of a window."""
        start, end = window.start.isoformat(), window.end.isoformat()
        found = [
            one
            for one in self.contracts
            if one["meter"] == meter["id"]
            and one["start"] < end
            and (one.get("end") or end) > start
        ]
        return max(found, key=lambda one: str(one["start"]), default=None)

    def documents(self, wanted: Sequence[str], contract: Json | None, window: Window) -> list[Json]:
        """Return the tariffs to compare, the contract's own first.

        Without any that are named they are those in one currency that are in force in all of the
        window, up to as many as can be told apart.
        """
        by_id = {str(tariff["id"]): tariff for tariff in self.tariffs}
        own = by_id.get(str(contract["tariff"])) if contract else None
        if wanted:
            named = [by_id[id_] for id_ in wanted if id_ in by_id]
            if len(named) == 1 and own is not None and own is not named[0]:
                named.append(own)  # one alone is compared with the customer's own
            return sorted(named, key=lambda each: each is not own)
        covering = [each for each in self.tariffs if _covers(each, window)]
        first = own or next(iter([*covering, *self.tariffs]), None)
        if first is None:
            return []
        others = [each for each in covering if each is not first]
        alike = [each for each in others if _currency(each) == _currency(first)]
        return [first, *alike][:MOST]


def _covers(tariff: Json, window: Window) -> bool:
    """Tell whether a tariff that can be priced is in force in all of a window."""
    if "unreadable" in tariff:
        return False
    reached = window.start.isoformat()
    for version in sorted(tariff.get("versions", ()), key=lambda one: str(one["valid_from"])):
        if version["valid_from"] <= reached:
            reached = max(reached, version.get("valid_to") or "9999")
    return reached >= window.end.isoformat()


def _currency(tariff: Json) -> object:
    return tariff.get("currency")


async def _items(view: View, operation: str, **arguments: str) -> list[Json]:
    """Return the first page of a list; nothing of one that who asks may not see."""
    return [*(await view.items(operation, limit=str(_LISTED), **arguments) or ())]


async def _newest_of(view: View, meters: Sequence[str]) -> str | None:
    """Return which of some meters was read last; the first where that cannot be seen."""
    if not meters or not view.api.may("list_channels"):
        return next(iter(meters), None)
    answer = await view.api.call("list_channels", meters=list(dict.fromkeys(meters)))
    read = [one for one in answer["channels"] if one["last"]]
    last = max(read, key=lambda one: datetime.fromisoformat(one["last"]), default=None)
    return meters[0] if last is None else str(last["meter"])


async def _further(
    view: View, what: str, wanted: Sequence[str], listed: Sequence[Json]
) -> list[Json]:
    """Return what is wanted and not among what was listed; 404 where it is not there at all."""
    known = {str(each["id"]) for each in listed}
    missing = [id_ for id_ in dict.fromkeys(wanted) if id_ not in known]
    if not view.api.may(f"get_{what}"):
        return []
    return [await view.api.call(f"get_{what}", **{what: id_}) for id_ in missing]


@routes.get("/console/compare", produces=("text/html",))
async def show_comparison(request: web.Request) -> web.Response:
    """Compare tariffs."""
    view = View.of(request)
    asked = Asked.of(view)
    choice = await Choice.read(view, asked)
    meter = choice.meter(asked.meter)
    data: dict[str, Any] = {
        "asked": asked,
        "choice": choice,
        "meter": meter,
        "meter_options": [(each["id"], each.get("name") or each["id"]) for each in choice.meters],
        "letters": {key: view.text(name)[:1].upper() for key, name in _LETTERS.items()},
    }
    if meter is not None:
        data |= await _compared(view, asked, choice, meter)
        data["panels"] = await panels_of(view, "compare", _subject(meter, data))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if asked.form.faults else HTTPStatus.OK
    return view.page("compare.html", place="compare", status=status, **_NOTHING | data)


def _subject(meter: Json, data: Mapping[str, Any]) -> Subject:
    """Return what panels are asked about."""
    window, contract = data.get("window"), data.get("contract")
    return Subject(
        site=meter["site"],
        meter=meter["id"],
        contract=contract and contract["id"],
        tariff=contract and contract["tariff"],
        start=window and window.start,
        end=window and window.end,
    )


async def _compared(view: View, asked: Asked, choice: Choice, meter: Json) -> dict[str, Any]:
    """Return what the template shows of a meter."""
    channel = _channel(meter)
    if channel is None:
        return {"trouble": view.text("This meter measures no energy that is used.")}
    window = asked.window or await _newest(view, meter, channel)
    if window is None:
        return {"trouble": view.text("This meter has no readings yet.")}
    contract = choice.contract(meter, window)
    documents = choice.documents(asked.tariffs, contract, window)
    data = {
        "window": window,
        "chosen": [str(document["id"]) for document in documents],
        "contract": contract,
    }
    if asked.form.faults or not documents:
        return data
    question = await _question(view, meter, window, contract)
    priced, usage = await asyncio.gather(
        price_all(view, question, documents), _usage(view, meter, channel, window)
    )
    return {**data, "found": await _found(view, question, contract, priced, usage), **_left(priced)}


def _left(priced: Sequence[Priced | Unpriced]) -> dict[str, Any]:
    return {"unpriced": [each for each in priced if isinstance(each, Unpriced)]}


async def _found(
    view: View,
    question: Question,
    contract: Json | None,
    outcomes: Sequence[Priced | Unpriced],
    usage: Sequence[Json],
) -> Comparison | None:
    """Return the comparison of what could be priced, in the currency of the first."""
    priced = [each for each in outcomes if isinstance(each, Priced)]
    if not priced:
        return None
    same = tuple(
        each for each in priced if _currency(each.document) == _currency(priced[0].document)
    )
    has_own = contract is not None and same[0].id == contract["tariff"]
    even = await break_even(view, question, same, str(contract["id"]) if contract else None)
    kwh = sum((Decimal(month["value"]) for month in usage), Decimal(0))
    return Comparison(view, question.window, kwh, same, (), has_own, even)


def _channel(meter: Json) -> str | None:
    """Return the first channel of the energy that is used."""
    for channel in meter["channels"]:
        if (channel["quantity"], channel["direction"]) == ("active_energy", "import"):
            return str(channel["id"])
    return None


async def _question(view: View, meter: Json, window: Window, contract: Json | None) -> Question:
    zone = "UTC"
    if view.api.may("get_site"):
        zone = str((await view.api.call("get_site", site=meter["site"]))["timezone"])
    given = contract or {}
    return Question(meter, zone, window, given.get("channels", {}), given.get("parameters", {}))


async def _newest(view: View, meter: Json, channel: str) -> Window | None:
    """Return the last twelve months with readings."""
    today = view.api.core.clock.now().date()
    past = month_after(today)
    for months in (13, _FAR):
        usage = await _usage(view, meter, channel, Window(month_after(past, -months), past))
        window = with_readings(usage)
        if window is not None:
            return window
    return None


async def _usage(view: View, meter: Json, channel: str, window: Window) -> list[Json]:
    """Return the usage of each month."""
    answer = await view.api.call(
        "get_usage",
        meter=meter["id"],
        channel=channel,
        start=window.start.isoformat(),
        end=window.end.isoformat(),
        window="P1M",
    )
    found: list[Json] = answer["data"]
    return found
