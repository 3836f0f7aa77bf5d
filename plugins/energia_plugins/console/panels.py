"""Panels of plugins on a page: asked one beside the other, each within its time, and drawn."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

import attrs
import structlog
from babel.numbers import is_currency
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from energia.contract import HasTimeout
from energia.errors import EnergiaError, Forbidden, NotFound
from energia.web.panels import Cell, Column, Content, Panel, Place, Subject, Table, Template
from energia_plugins.console.drawing import chart
from energia_plugins.console.faults import of_error
from energia_plugins.console.page import View, environment
from energia_plugins.console.words import Language, Words

#: Seconds that a panel may take, unless it says so itself.
_TIMEOUT: Final = 5.0
#: So many are asked at once: each may hold a connection.
_AT_ONCE: Final = 3
#: The digits of a number that no column rounds, so that a third is no page long.
_PLACES: Final = 6
_NOTHING: Final = Markup("")
log = structlog.get_logger(__name__)


@attrs.frozen
class Shown:
    """A panel as a page shows it.

    Attributes:
        name: Its name, by which the page can be led to it.
        title: Its title in the language of the page.
        content: What it shows; None if it could not tell.
        charts: Its charts, drawn.
        tables: Its tables, their cells written.
        own: What its template shows.
        trouble: Why it shows nothing.

    """

    name: str
    title: str
    content: Content | None = None
    charts: tuple[Markup, ...] = ()
    tables: tuple["ShownTable", ...] = ()
    own: Markup = _NOTHING
    trouble: str = ""


@attrs.frozen
class ShownTable:
    """A table whose cells are texts.

    Attributes:
        caption: What it shows.
        heads: The head of each column, its unit, and whether it has numbers.
        rows: The cells.

    """

    caption: str
    heads: tuple[tuple[str, str, bool], ...]
    rows: tuple[tuple[str, ...], ...]


async def panels_of(view: View, place: Place, subject: Subject) -> list[Shown]:
    """Return the panels of a page that have something to say about its subject.

    One that fails, or takes too long, says so in its place and in the log; the page stands.
    """
    room = asyncio.Semaphore(_AT_ONCE)
    asked = [
        _shown(view, room, plugin, panel, subject)
        for plugin, panel in view.api.core.plugins.owned_panels()
        if place in panel.places
    ]
    return [shown for shown in await asyncio.gather(*asked) if shown is not None]


async def _shown(
    view: View, room: asyncio.Semaphore, plugin: str, panel: Panel, subject: Subject
) -> Shown | None:
    title = panel.titles[view.words.language]
    seconds = panel.timeout if isinstance(panel, HasTimeout) else _TIMEOUT
    try:
        async with room, asyncio.timeout(seconds):
            content = await panel.content(view.api, subject, view.words.language)
            return None if content is None else _drawn(view, panel.name, title, content)
    except (Forbidden, NotFound):
        return None  # who looks at the page may not see it, or what it asks is not loaded
    except TimeoutError:
        log.warning("panel_late", plugin=plugin, panel=panel.name, seconds=seconds)
        return Shown(panel.name, title, trouble=view.text("It takes too long just now."))
    except EnergiaError as error:
        return Shown(panel.name, title, trouble=of_error(view.words, error))
    except Exception as error:
        log.error("panel_failed", plugin=plugin, panel=panel.name, exc_info=error)
        trouble = view.text("It cannot be shown: something is wrong with it.")
        return Shown(panel.name, title, trouble=trouble)


def _drawn(view: View, name: str, title: str, content: Content) -> Shown:
    charts = tuple(chart(view.words, one) for one in content.charts)
    tables = tuple(_table(view.words, one) for one in content.tables)
    own = _NOTHING if content.template is None else _own(view.words, content.template)
    return Shown(name, title, content, charts, tables, own)


def _table(words: Words, table: Table) -> ShownTable:
    columns = list(enumerate(table.columns))
    heads = tuple(
        (column.title, _unit(words, column), any(_is_number(row[at]) for row in table.rows))
        for at, column in columns
    )
    rows = tuple(
        tuple(_cell(words, row[at], column) for at, column in columns) for row in table.rows
    )
    return ShownTable(table.caption, heads, rows)


def _unit(words: Words, column: Column) -> str:
    return words.symbol(column.unit) if is_currency(column.unit) else column.unit


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | Decimal | Fraction) and not isinstance(cell, bool)


def _cell(words: Words, cell: Cell, column: Column) -> str:
    match cell:
        case None:
            return "\N{EN DASH}"
        case str():
            return cell
        case datetime():
            return words.moment(cell, year=True)
        case date():
            return words.day(cell, year=True)
        case _:
            return words.number(exact(cell), column.places)


def exact(value: int | Decimal | Fraction) -> Decimal:
    """Return a number as a decimal: itself, or where it has no end its first six decimals."""
    if isinstance(value, Fraction):
        scaled = round(value * 10**_PLACES)
        return (Decimal(scaled) / 10**_PLACES).normalize() + Decimal(0)
    return Decimal(value)


# Templates of plugins.


def _own(words: Words, template: Template) -> Markup:
    found = _templates(words.language, template.package).get_template(template.name)
    data: Mapping[str, object] = template.data
    return Markup(found.render(panel=data, w=words))  # noqa: S704 - the template has escaped it


@lru_cache(maxsize=64)
def _templates(language: Language, package: str) -> Environment:
    """Return the templates of a plugin, with what those of the console have."""
    return environment(language).overlay(loader=PackageLoader(package, "templates"))
