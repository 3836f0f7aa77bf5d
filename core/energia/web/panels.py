"""Panels: what a plugin adds to the pages of the console, as data; the console draws it.

A panel answers one question of a person who looks at a page. It asks the API, as who looks at it,
and returns its answer in a sentence, with tables and charts that prove it: numbers and texts alone.
How they look, and how numbers and dates are written, is for the console to know.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from energia.contract import Language, Place

if TYPE_CHECKING:
    from energia.web.calls import Api

__all__ = [
    "Bars",
    "Cell",
    "Column",
    "Content",
    "Curve",
    "Language",
    "Link",
    "Mark",
    "Number",
    "Panel",
    "Place",
    "Subject",
    "Table",
    "Template",
]

#: A number that is exact.
Number = int | Decimal | Fraction
#: What a cell of a table may have: a text, a number of its column's unit, a day, an instant.
Cell = str | Number | date | datetime | None


@attrs.frozen(kw_only=True)
class Subject:
    """What a page is about; None is for what it is not about, or what there are several of.

    Attributes:
        site: The id of a site.
        meter: That of a meter.
        contract: That of a contract.
        bill: That of a bill.
        tariff: That of a tariff.
        start: The first day that the page is about.
        end: The day after the last one.

    """

    site: str | None = None
    meter: str | None = None
    contract: str | None = None
    bill: str | None = None
    tariff: str | None = None
    start: date | None = None
    end: date | None = None


@attrs.frozen
class Column:
    """A column of a table.

    Attributes:
        title: Its head.
        unit: The unit of its numbers, or the ISO 4217 code of their currency.
        places: To how many decimals they are shown; as exact as they are without.

    """

    title: str
    unit: str = ""
    places: int | None = None


@attrs.frozen
class Table:
    """A table.

    Attributes:
        columns: Its columns.
        rows: Their cells; the first of each names its row.
        caption: What it shows, where the sentence before it does not say so.

    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""


@attrs.frozen
class Bars:
    """A chart of bars beside each other, from zero on: of months, of days.

    Attributes:
        title: What is shown, with its unit.
        unit: The unit of the values, or the code of their currency.
        bars: The label of each, and its value; None where nothing is known.
        limit: A value that is drawn across, dashed; bars above it are in ink, and have their value.

    """

    title: str
    unit: str
    bars: tuple[tuple[str, Number | None], ...]
    limit: Number | None = None


@attrs.frozen
class Mark:
    """A point of a curve that stands out.

    Attributes:
        x: Where it is.
        y: Where it is.
        label: What is written beside it.

    """

    x: Number
    y: Number
    label: str


@attrs.frozen
class Curve:
    """A chart of curves over one axis.

    Attributes:
        title: What is shown, with its unit.
        x_title: What the axis has, with its unit.
        unit: The unit of the values, or the code of their currency.
        curves: The name of each, and its points from left to right; the first one is in ink.
        marks: Points that stand out.

    """

    title: str
    x_title: str
    unit: str
    curves: tuple[tuple[str, tuple[tuple[Number, Number], ...]], ...]
    marks: tuple[Mark, ...] = ()


@attrs.frozen
class Link:
    """A way on.

    Attributes:
        text: Its words.
        path: A path of the service, such as `/console/meters/UC-123`.

    """

    text: str
    path: str


@attrs.frozen
class Template:
    """A template of the plugin's own, for what no chart or table says.

    It is Jinja2, escapes what it shows, and has `panel` (the data) and `w` (the words of the
    console). The policy of the pages lets it have no style and no script of its own.

    Attributes:
        package: The package that has the folder `templates`.
        name: The name of the file in it.
        data: What it shows.

    """

    package: str
    name: str
    data: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Content:
    """What a panel shows.

    Attributes:
        answer: One or two sentences that answer its question, with their numbers.
        charts: What proves it, as pictures.
        tables: The same as numbers.
        template: Whatever else it has.
        premises: What was assumed, a sentence each.
        links: Where one goes from here.

    """

    answer: str
    charts: tuple[Bars | Curve, ...] = ()
    tables: tuple[Table, ...] = ()
    template: Template | None = None
    premises: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


class Panel(Protocol):
    """Answers one question on some pages of the console.

    It may have a `timeout` in seconds, in place of five.

    Example:
        class Standby:
            name = "standby"
            places = ("meter",)
            titles = {"en": "Standby", "pt-BR": "Consumo em espera"}

            async def content(
                self, api: Api, subject: Subject, language: Language
            ) -> Content | None:
                usage = await api.call("get_usage", meter=subject.meter, ...)
                return Content(answer=f"At least {lowest(usage)} kW at any time.")

    """

    @property
    def name(self) -> str:
        """The name by which logs and errors call it."""
        ...

    @property
    def places(self) -> tuple[Place, ...]:
        """The pages that show it."""
        ...

    @property
    def titles(self) -> Mapping[Language, str]:
        """Its title in each language."""
        ...

    async def content(self, api: "Api", subject: Subject, language: Language) -> Content | None:
        """Return what it shows about *subject*; None where its question does not arise.

        Raises:
            EnergiaError: It cannot tell; the page says why in its place.

        """
        ...
