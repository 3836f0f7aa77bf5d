"""What the charges of a version charge, as rows of a table that a person can read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from energia_plugins.console.page import marked
from energia_plugins.console.periods import Key, period_of
from energia_plugins.console.words import NBSP, Words

Json = Mapping[str, Any]

KINDS: Final = {
    "energy.flat": marked("Energy, the same price at all times"),
    "energy.time_of_use": marked("Energy, by the time of day"),
    "energy.tiered": marked("Energy, by how much is used"),
    "energy.dynamic": marked("Energy, at a market price"),
    "fixed": marked("A fixed amount"),
    "demand": marked("Demand: the highest power"),
    "demand.contracted": marked("Contracted demand"),
    "reactive": marked("Reactive energy beyond what is free"),
    "minimum": marked("At least so much"),
    "percent": marked("A percentage of other charges"),
    "tax": marked("Taxes"),
    "adjustment.calendar": marked("A surcharge that changes by the month"),
    "event": marked("In windows of time that are announced"),
    "export": marked("Energy that is given to the grid"),
    "table": marked("By a table"),
    "brazil.scee": marked("Credits of generation (SCEE)"),
}
_PER: Final = {
    "day": marked("a day"),
    "month": marked("a month"),
    "year": marked("a year"),
    "bill": marked("a bill"),
    "meter": marked("a meter"),
}
#: Parts of documents, by their names in JSON.
_FIELDS: Final = {
    "rate": marked("price"),
    "rates": marked("prices"),
    "amount": marked("amount"),
    "per": marked("per"),
    "percent": marked("percentage"),
    "contracted": marked("contracted"),
    "overrun": marked("over the contract"),
    "tolerance_percent": marked("tolerance, %"),
    "multiplier": marked("times"),
    "base": marked("of"),
    "interval": marked("measured over"),
    "components": marked("parts"),
    "taxes": marked("taxes"),
    "form": marked("form"),
    "of": marked("on"),
    "schedule": marked("periods"),
    "rules": marked("rules"),
    "default": marked("otherwise"),
    "season": marked("season"),
    "days": marked("days"),
    "from": marked("from"),
    "to": marked("to"),
    "until": marked("until"),
    "up_to": marked("up to"),
    "tiers": marked("tiers"),
    "bands": marked("bands"),
    "series": marked("price series"),
    "adder": marked("plus"),
    "floor": marked("at least"),
    "cap": marked("at most"),
    "description": marked("name"),
    "holidays": marked("holidays"),
    "holiday_lists": marked("lists of holidays"),
    "weekend_days": marked("weekend"),
    "rounding": marked("rounding"),
    "power_factor": marked("power factor"),
    "ranges": marked("months"),
    "period": marked("period"),
    "valid_to": marked("end"),
    "charges": marked("charges"),
    "channel": marked("channel"),
    "clock": marked("clock"),
    "name": marked("name"),
}
#: What is told elsewhere on the page, or names things for programs.
_UNSAID: Final = frozenset({"kind", "code", "description", "titles", "schedule", "channel"})


@attrs.frozen
class Rate:
    """A price.

    Attributes:
        what: Of what; empty where the charge says it all.
        price: The number, as text, or words where a contract gives it.
        unit: Of what one is priced.
        key: The class of its period, if it has one.
        letter: The letter of its period.

    """

    what: str
    price: str
    unit: str
    key: Key | None = None
    letter: str = ""


@attrs.frozen
class Charged:
    """A charge in words.

    Attributes:
        title: What its lines are called.
        kind: What it charges.
        rates: Its prices.
        others: What else it says: names of fields, with their values.

    """

    title: str
    kind: str
    rates: tuple[Rate, ...]
    others: tuple[tuple[str, str], ...]


def field_name(words: Words, name: str) -> str:
    """Return what a field of a document is called."""
    return words.text(_FIELDS[name]) if name in _FIELDS else name.replace("_", " ")


def charged(words: Words, currency: str, charge: Json) -> Charged:
    """Return a charge of a version in words."""
    kind = str(charge["kind"])
    found = words.text(KINDS[kind]) if kind in KINDS else kind
    book = _Book(words, words.symbol(currency), charge)
    rates = tuple(book.rates())
    others = tuple(
        (" · ".join(field_name(words, part) for part in place), text)
        for place, text in leaves(charge)
        if place[0] not in _UNSAID and place[0] not in book.said
    )
    return Charged(str(charge.get("description") or found), found, rates, others)


def leaves(value: object, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the plain values in a document, each with the names of the fields that lead to it."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from leaves(part, (*place, str(name)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if all(not isinstance(part, Mapping | list) for part in value):
            yield place, ", ".join(map(str, value))
            return
        for index, part in enumerate(value, start=1):
            yield from leaves(part, (*place, str(index)))
    elif value is not None:
        yield place, str(value)


@attrs.define
class _Book:
    """Reads the prices of a charge.

    Attributes:
        words: The language.
        currency: As it is written.
        charge: The charge.
        said: The fields that were read.

    """

    words: Words
    currency: str
    charge: Json
    said: set[str] = attrs.Factory(set)

    def rates(self) -> Iterator[Rate]:
        """Yield what is priced, with its unit; the rest is shown as it is."""
        kind = self.charge["kind"]
        if kind.startswith("energy.") or kind in ("demand", "demand.contracted"):
            yield from self._priced(self._unit())
        elif kind in ("fixed", "minimum"):
            yield from self._fixed()
        elif kind == "tax" and _is_told(self.charge.get("taxes"), Sequence):
            yield from self._taxes()
        elif kind == "percent":
            yield from self._percent()
        elif kind == "adjustment.calendar" and _is_told(self.charge.get("ranges"), Sequence):
            yield from self._calendar()

    def _unit(self) -> str:
        if self.charge["kind"].startswith("demand"):
            return f"{self.currency}/kW"
        channel = str(self.charge.get("channel", "import"))
        units = {"reactive_energy": "kvarh", "apparent_energy": "kVAh", "gas_volume": "m³"}
        return f"{self.currency}/{units.get(channel.partition('.')[0], 'kWh')}"

    def _priced(self, unit: str) -> Iterator[Rate]:
        charge = self.charge
        if "contracted" in charge:
            yield from self._contracted()
        for name in ("rate", "components"):
            if name in charge:
                self.said.add(name)
                value = charge[name]
                is_parts = name == "components" and _is_told(value, Mapping)
                parts = {"components": value} if is_parts else value
                yield from self._parts("", parts, unit)
        if _is_told(charge.get("rates"), Mapping):
            self.said.add("rates")
            for period, value in charge["rates"].items():
                yield from self._of_period(period, value, unit, charge["rates"])
        if "tiers" in charge:
            self.said.add("tiers")
            yield from self._parts("", charge["tiers"], unit)

    def _contracted(self) -> Iterator[Rate]:
        value = self.charge["contracted"]
        self.said.add("contracted")
        contracted = self.words.text("contracted")
        if _is_told(value, Mapping):
            for period, number in value.items():
                found = period_of(self.words, period, value)
                what = f"{contracted}, {found.label}"
                yield Rate(what, self._number(number), "kW", found.key, found.letter)
        else:
            yield Rate(contracted, self._number(value), "kW")

    def _of_period(
        self, period: str, value: object, unit: str, among: Mapping[str, object]
    ) -> Iterator[Rate]:
        found = period_of(self.words, period, among)
        for rate in self._parts(found.label, value, unit):
            yield attrs.evolve(rate, key=found.key, letter=found.letter)

    def _parts(self, what: str, value: object, unit: str) -> Iterator[Rate]:
        """Yield a price: a number, parts of one, or tiers."""
        if isinstance(value, Mapping) and _is_told(value.get("components"), Mapping):
            for name, part in value["components"].items():
                yield Rate(_joined(what, name.upper()), self._number(part), unit)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for tier in value:
                rate = tier.get("rate") if "rate" in tier else tier
                yield from self._parts(_joined(what, self._tier(tier)), rate, unit)
        else:
            yield Rate(what or self.words.text("price"), self._number(value), unit)

    def _tier(self, tier: Json) -> str:
        if tier.get("up_to") is None:
            return self.words.text("beyond that")
        unit = str(self.charge.get("unit", "kWh"))
        if self.charge["kind"].startswith("demand"):
            unit = "kW"
        return self.words.text("up to %(limit)s", limit=f"{self._number(tier['up_to'])} {unit}")

    def _fixed(self) -> Iterator[Rate]:
        if "amount" not in self.charge:
            return
        self.said |= {"amount", "per"}
        per = self.charge.get("per", "bill")
        what = self.words.text(_PER[per]) if isinstance(per, str) and per in _PER else ""
        unit = f"{self.currency} {what}"
        yield Rate(self.words.text("amount"), self._number(self.charge["amount"]), unit)

    def _taxes(self) -> Iterator[Rate]:
        self.said.add("taxes")
        for tax in self.charge["taxes"]:
            name = str(tax.get("name", "")).upper()
            bands = tax.get("bands")
            for band in bands if _is_told(bands, Sequence) else [tax]:
                what = _joined(name, self._tier(band)) if len(tax.get("bands", ())) > 1 else name
                what = _joined(what, dates_text(self.words, tax))
                rate = band.get("rate")
                if isinstance(rate, str):
                    yield Rate(what, self.words.percent(rate, 2), "")

    def _percent(self) -> Iterator[Rate]:
        percent = self.charge.get("percent")
        if isinstance(percent, str):
            self.said.add("percent")
            yield Rate(self.words.text("percentage"), f"{self._number(percent)}{NBSP}%", "")

    def _calendar(self) -> Iterator[Rate]:
        self.said.add("ranges")
        for part in self.charge.get("ranges", ()):
            name = str(part.get("name") or "").replace("_", " ")
            what = _joined(name, dates_text(self.words, part))
            yield Rate(what, self._number(part.get("rate", "0")), f"{self.currency}/kWh")

    def _number(self, value: object) -> str:
        """Return a number; of a parameter, that the contract says it."""
        if isinstance(value, Mapping):
            name = value.get("parameter", "")
            return self.words.text("as the contract says (%(name)s)", name=name)
        try:
            return self.words.number(value)
        except ArithmeticError:
            return str(value)


def _is_told(value: object, kind: type) -> bool:
    """Tell whether a field says what it is to say, which a parameter does not."""
    told = isinstance(value, kind) and not isinstance(value, str)
    return told and not (isinstance(value, Mapping) and "parameter" in value)


def _joined(first: str, second: str) -> str:
    return f"{first}, {second}" if first and second else first or second


def is_day(value: object) -> bool:
    """Tell whether a value of a document is a date."""
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None


def dates_text(words: Words, dated: Json) -> str:
    """Return from when to when something holds, as far as that is said."""
    start, end = (one if is_day(one) else None for one in (dated.get("from"), dated.get("to")))
    if not (isinstance(start, str) or isinstance(end, str)):
        return ""
    if not isinstance(end, str):
        return words.text("from %(day)s", day=words.day(str(start), year=True))
    last = words.last_day(end, year=True)
    if not isinstance(start, str):
        return words.text("until %(day)s", day=last)
    return words.text("%(first)s to %(last)s", first=words.day(start, year=True), last=last)
