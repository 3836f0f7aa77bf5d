"""What a meter's readings cost under several tariffs, month by month, as the API prices them."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import attrs

from energia.errors import EnergiaError
from energia_plugins.console.comparison.asked import Json, Window
from energia_plugins.console.faults import of_error
from energia_plugins.console.page import View, marked

#: So many tariffs are priced at once.
_AT_ONCE: Final = 3


@attrs.frozen
class Question:
    """What is priced.

    Attributes:
        meter: The meter, as the API has it.
        zone: The time zone of its site.
        window: The months.
        channels: Which of its channels are summed for a role, as the contract says.
        parameters: What the contract gives the charges.

    """

    meter: Json
    zone: str
    window: Window
    channels: Json = attrs.Factory(dict)
    parameters: Json = attrs.Factory(dict)

    def body(self, *documents: Json) -> dict[str, Any]:
        """Return what the API is asked, with the parameters that some of the tariffs take."""
        wanted = {name for document in documents for name in parameters_in(document)}
        parameters = {name: one for name, one in self.parameters.items() if name in wanted}
        return {
            "start": self.window.start.isoformat(),
            "end": self.window.end.isoformat(),
            "group": "P1M",
            "missing": "estimate",
            "parameters": parameters,
        }

    def of_meter(self, *documents: Json) -> dict[str, Any]:
        """Return what the API is asked about the stored readings."""
        channels = {"channels": self.channels} if self.channels else {}
        return {"meter": self.meter["id"], **channels, **self.body(*documents)}


@attrs.frozen
class Priced:
    """A tariff, and what the window costs under it.

    Attributes:
        document: The tariff, as the API has it.
        total: The cost of all months.
        months: The cost of each.
        lines: Those of all months, added up by code.
        coverage: What the readings are.
        assumptions: What was taken for granted.

    """

    document: Json
    total: Decimal
    months: tuple[Decimal, ...]
    lines: tuple[Json, ...] = ()
    coverage: Json = attrs.Factory(dict)
    assumptions: tuple[Json, ...] = ()

    @property
    def id(self) -> str:
        """The id of the tariff."""
        return str(self.document["id"])

    @property
    def name(self) -> str:
        """What the tariff is called."""
        return str(self.document["name"])


@attrs.frozen
class Unpriced:
    """A tariff that could not be priced.

    Attributes:
        document: The tariff.
        why: What is in the way.

    """

    document: Json
    why: str


@attrs.frozen
class Difference:
    """How two tariffs differ.

    Attributes:
        amount: What the second costs more than the first; less, if it is below 0.
        share: The same as a part of the first.
        dearer: In how many months the second costs more.
        cheaper: In how many it costs less.

    """

    amount: Decimal
    share: Fraction
    dearer: int
    cheaper: int

    @classmethod
    def between(cls, first: Priced, second: Priced) -> "Difference":
        """Return how the second differs from the first."""
        pairs = list(zip(first.months, second.months, strict=True))
        amount = second.total - first.total
        share = Fraction(amount) / Fraction(first.total) if first.total else Fraction(0)
        dearer = sum(theirs > ours for ours, theirs in pairs)
        cheaper = sum(theirs < ours for ours, theirs in pairs)
        return cls(amount, share, dearer, cheaper)


def parameters_in(value: object) -> Iterator[str]:
    """Yield the names of the parameters that a tariff document asks for."""
    if isinstance(value, Mapping):
        if isinstance(value.get("parameter"), str):
            yield value["parameter"]
        for part in value.values():
            yield from parameters_in(part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from parameters_in(part)


async def price_all(
    view: View, question: Question, documents: Sequence[Json]
) -> list[Priced | Unpriced]:
    """Return what the window costs under each tariff, in their order."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def priced(document: Json) -> Priced | Unpriced:
        async with turn:
            return await _price(view, question, document)

    return list(await asyncio.gather(*map(priced, documents)))


async def _price(view: View, question: Question, document: Json) -> Priced | Unpriced:
    if "unreadable" in document:
        return Unpriced(document, view.text("a plugin that it needs is not loaded"))
    body = {**question.of_meter(document), "tariff": document["id"]}
    try:
        cost = await view.api.call("compute_cost", body=body)
    except EnergiaError as error:
        return Unpriced(document, reason(view, error))
    return Priced(
        document=document,
        total=Decimal(cost["total"]),
        months=tuple(Decimal(group["total"]) for group in cost["groups"]),
        lines=tuple(cost["lines"]),
        coverage=cost["coverage"],
        assumptions=tuple(cost["assumptions"]),
    )


_REASONS: Final = {
    "missing_channel": marked("it charges something that this meter does not measure"),
    "no_version_in_force": marked("it is not in force in all of these months"),
    "incomplete_usage": marked("too many readings are missing in these months"),
    "incomplete_prices": marked("prices are missing in these months"),
}


def reason(view: View, error: EnergiaError) -> str:
    """Return why something cannot be priced, for a person."""
    codes = [error.code, *(fault.code for fault in error.faults)]
    for code in codes:
        if code in _REASONS:
            return view.text(_REASONS[code])
    if "missing_parameter" in codes:
        pointers = [fault.pointer or "" for fault in error.faults]
        names = [one.rpartition("/")[2] for one in pointers if one.startswith("/parameters/")]
        said = view.text("it asks for what only a contract says")
        return ": ".join(filter(None, [said, ", ".join(names)]))
    return of_error(view.words, error)
