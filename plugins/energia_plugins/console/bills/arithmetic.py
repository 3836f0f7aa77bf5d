"""The arithmetic of an explanation, in the numbers and words of who reads it."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

import attrs

from energia_plugins.console.page import marked
from energia_plugins.console.words import NBSP, Words

#: A ratio whose parts have at most so many digits stays one: 31/31, and not 1.
_SHORT: Final = 4
#: So many places has what never ends, or ends late.
_PLACES: Final = 6
_TOKEN: Final = re.compile(
    r"(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d(?::[\d.]+)?(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<day>(?<![\w.])\d{4}-\d\d-\d\d)"
    r"|(?P<month>(?<![\w.])\d{4}-\d\d(?![\w/]))"
    r"|(?P<ratio>(?<![\w.])\d+/\d+)"
    r"|(?P<number>(?<![\w.])\d+(?:\.\d+)?)"
    r"|(?P<percent> %)|(?P<times> x )|(?P<over> / )|(?P<minus>- (?=[\d(]))|(?P<below>-(?=[\d(]))"
)
_RATE: Final = re.compile(
    r"(?P<name>.+?): (?P<sum>.+) = (?P<value>\S+?)(?:, about (?P<about>\S+))?"
)
_YEAR: Final = re.compile(r"\d{4}")
#: Signs as they are printed.
_SIGNS: Final = {
    "percent": f"{NBSP}%",
    "times": " \N{MULTIPLICATION SIGN} ",
    "over": " \N{DIVISION SIGN} ",
    "minus": "\N{MINUS SIGN} ",
    "below": "\N{MINUS SIGN}",
}
#: What the core and the kinds of charges that come with it say within arithmetic.
_SAID: Final = (
    marked(", as it is above "),
    marked(" at "),
    marked(" for the band"),
    marked(" meters"),
)
#: What they call the parts of a sum.
STEPS: Final = frozenset(
    (
        marked("demand"),
        marked("days"),
        marked("bill"),
        marked("energy"),
        marked("inside the prices already"),
        marked("as measured"),
        marked("as charged"),
        marked("charged by the lines before"),
        marked("charged in the year before"),
        marked("the minimum is charged instead"),
        marked("more than the limit"),
        marked("sold slot by slot"),
        marked("mean power"),
        marked("as imported"),
        marked("left to be charged"),
        marked("baseline"),
        marked("used"),
        marked("no rebate above the baseline"),
    )
)
#: Units that are words: of one, and of several.
_UNITS: Final = {
    "day": (marked("day"), marked("days")),
    "month": (marked("month"), marked("months")),
    "year": (marked("year"), marked("years")),
    "bill": (marked("bill"), marked("bills")),
    "meter": (marked("meter"), marked("meters")),
}


@attrs.frozen
class RateStep:
    """How a charge changed the rate of another one.

    Attributes:
        name: Whose doing it is.
        sum: The arithmetic.
        value: What comes of it, or about that.

    """

    name: str
    sum: str
    value: str

    @classmethod
    def read(cls, text: str) -> "RateStep | None":
        """Return the step of a line of an explanation; None where it is another kind of text."""
        found = _RATE.fullmatch(text)
        if found is None:
            return None
        return cls(found["name"], found["sum"], found["about"] or found["value"])

    @property
    def before(self) -> str | None:
        """The rate that was changed: what the arithmetic begins with."""
        first = self.sum.partition(" ")[0]
        return first if re.fullmatch(r"-?\d+(\.\d+)?(/\d+)?", first) else None


def arithmetic(words: Words, text: str) -> str:
    """Return arithmetic as a person writes it, with the signs and the numbers of the language."""
    for said in _SAID:
        text = text.replace(said, words.text(said))
    return _TOKEN.sub(lambda found: _token(words, found), text)


def _token(words: Words, found: re.Match[str]) -> str:
    text = found[0]
    match found.lastgroup:
        case "moment":
            shown = words.moment(text.replace("Z", "+00:00"))
        case "day":
            shown = words.day(text, year=True)
        case "month":
            shown = words.month(f"{text}-01")
        case "ratio":
            shown = ratio(words, text)
        case "number":
            shown = plain(words, text)
        case sign:
            shown = _SIGNS[sign or ""]
    return shown


def ratio(words: Words, text: str) -> str:
    """Return a ratio as it is where that is short, else as a number."""
    above, below = text.lstrip("-").split("/")
    if max(len(above), len(below)) <= _SHORT:
        return text
    return plain(words, text)


def plain(words: Words, text: str) -> str:
    """Return an exact number: `n/d` to a few places, and a decimal as it is, within reason."""
    if "/" in text:
        exact = Fraction(text)
        number = Decimal(exact.numerator) / Decimal(exact.denominator)
        return words.number(number, _PLACES)
    return words.number(text)


def quantity(words: Words, value: str, unit: str | None) -> str:
    """Return a quantity with its unit: `804,57 kWh`, `31 dias`."""
    number = plain(words, value)
    if unit is None:
        return number
    if unit in _UNITS:
        one, several = _UNITS[unit]
        return f"{number}{NBSP}{words.text(one if value == '1' else several)}"
    return f"{number}{NBSP}{unit}"


def unit_text(words: Words, unit: str) -> str:
    """Return a unit as a price is said for one of it."""
    return words.text(_UNITS[unit][0]) if unit in _UNITS else unit


def price(words: Words, rate: str, currency: str, unit: str | None) -> str:
    """Return a rate: `R$ 1,29459 por kWh`, with all its places."""
    number = plain(words, rate)
    sign = "\N{MINUS SIGN}" if number.startswith("\N{MINUS SIGN}") else ""
    money = f"{sign}{words.symbol(currency)}{NBSP}{number.removeprefix(sign)}"
    if unit is None:
        return money
    return words.text("%(price)s per %(unit)s", price=money, unit=unit_text(words, unit))


def step_name(words: Words, name: str) -> str:
    """Return what a part of a sum is called: in the language of the page, where it is known."""
    if name in STEPS:
        return words.text(name)
    return name if _YEAR.fullmatch(name) else arithmetic(words, name)
