"""The lines of a bill in their groups, each with the part of the total that it brings."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final, Literal

import attrs
from markupsafe import Markup

from energia_plugins.console import svg
from energia_plugins.console.bills.arithmetic import RateStep
from energia_plugins.console.page import marked
from energia_plugins.console.periods import Key, period_of
from energia_plugins.console.words import Words

Group = Literal["energy", "demand", "taxes", "other"]
#: In the order of the page, with their headings.
GROUPS: Final[Mapping[Group, str]] = {
    "energy": marked("Energy"),
    "demand": marked("Demand"),
    "taxes": marked("Taxes"),
    "other": marked("Other"),
}
_DEMAND: Final = ("demand", "reactive")
_POWER: Final = frozenset({"kW", "kVA", "kvar", "kvarh"})
_ENERGY: Final = frozenset({"kWh", "kVAh", "MWh", "m3"})
#: The width of the column in which lines build the total.
_BAR: Final = 128


@attrs.frozen
class Line:
    """A line as the page shows it.

    Attributes:
        index: Which of the bill's lines it is.
        code: Its code.
        name: What the tariff calls it.
        group: Where it stands.
        key: The class of its period.
        letter: What stands for the period; nothing without one that has a colour.
        quantity: How much, exact.
        unit: The unit of the quantity.
        bare: The rate before taxes and other charges changed it; None where none did.
        rate: The rate that was multiplied.
        amount: What it adds to the total.
        version: The first day of the tariff's version that charges it, where there are several.
        is_within: Whether it only tells what of the other lines is a tax.

    """

    index: int
    code: str
    name: str
    group: Group
    key: Key
    letter: str
    quantity: str | None
    unit: str | None
    bare: str | None
    rate: str | None
    amount: str
    version: str | None
    is_within: bool

    @property
    def id(self) -> str:
        """Its anchor."""
        return f"line-{self.index}"

    @property
    def fill(self) -> str:
        """The class of its bar: the colour of its period, else ink."""
        return "ink" if self.key == "n" else self.key


@attrs.frozen
class Part:
    """A group of lines.

    Attributes:
        group: Which.
        title: Its heading, in English.
        lines: Its lines with their bars.

    """

    group: Group
    title: str
    lines: Sequence[tuple[Line, Markup]]


def lines_of(
    words: Words, bill: Mapping[str, Any], explained: Sequence[Mapping[str, Any]] | None
) -> list[Line]:
    """Return the lines of a bill; without an explanation they are told apart by their units."""
    told = explained or [{"kind": None, "arithmetic": {"rate": []}} for _ in bill["lines"]]
    among = [line["period"] for line in bill["lines"] if "period" in line]
    return [
        _line(words, index, line, source, among)
        for index, (line, source) in enumerate(zip(bill["lines"], told, strict=True))
    ]


def _line(
    words: Words,
    index: int,
    line: Mapping[str, Any],
    source: Mapping[str, Any],
    among: Sequence[str],
) -> Line:
    group = _group(source["kind"], line.get("unit"))
    name = line.get("period")
    period = None if name is None else period_of(words, name, among)
    key: Key = "n" if period is None else period.key
    return Line(
        index=index,
        code=line["code"],
        name=line["description"],
        group=group,
        key=key,
        letter="" if period is None or key == "n" else period.letter,
        quantity=line.get("quantity"),
        unit=line.get("unit"),
        bare=_bare(source["arithmetic"]["rate"]),
        rate=line.get("rate"),
        amount=line["amount"],
        version=line.get("version"),
        is_within=group == "taxes" and not Fraction(line["exact"]) and "quantity" in line,
    )


def _group(kind: str | None, unit: str | None) -> Group:
    if kind == "tax":
        return "taxes"
    if (kind or "").startswith(_DEMAND) or unit in _POWER:
        return "demand"
    return "energy" if unit in _ENERGY else "other"


def _bare(steps: Sequence[str]) -> str | None:
    first = RateStep.read(steps[0]) if steps else None
    return None if first is None else first.before


def parts_of(lines: Sequence[Line]) -> list[Part]:
    """Return the groups that have lines, which build the total in the order of the page."""
    shown = [line for group in GROUPS for line in lines if line.group == group]
    bars = dict(zip((line.index for line in shown), _bars(shown), strict=True))
    parts = []
    for group, title in GROUPS.items():
        of_group = [
            (line, bars[line.index]) for line in shown if line.group == group and not line.is_within
        ]
        if of_group:
            parts.append(Part(group, title, of_group))
    return parts


def _bars(lines: Sequence[Line]) -> list[Markup]:
    """Return for each line the step that it makes towards the total."""
    sums = [Fraction(0)]
    for line in lines:
        sums.append(sums[-1] + Fraction(line.amount))
    scale = svg.Scale(float(min(sums)), float(max(sums)), 0, _BAR)
    return [
        _bar(scale(float(before)), scale(float(after)), line.fill)
        for line, (before, after) in zip(lines, pairwise(sums), strict=True)
    ]


def _bar(start: float, end: float, class_: str) -> Markup:
    left, right = min(start, end), max(start, end)
    drawn = [svg.line(0, 10, _BAR, 10, "grid")]
    if right > left:
        drawn.append(svg.rect(left, 6, max(1.5, right - left), 9, class_))
    size = {"width": _BAR, "height": 20, "viewBox": f"0 0 {_BAR} 20"}
    return svg.tag("svg", *drawn, **size, aria_hidden="true", focusable="false")
