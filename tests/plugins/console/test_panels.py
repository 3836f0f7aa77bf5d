"""Panels of plugins on the pages of the console."""

import asyncio
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

import attrs
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from energia import SCOPES, Invalid, Routes, hookimpl
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.web.calls import Api
from energia.web.panels import Bars, Content, Language, Panel, Place, Subject
from energia_plugins.console import Console, Settings
from energia_plugins.console.drawing import bars
from energia_plugins.console.page import View, environment
from energia_plugins.console.panels import exact, panels_of
from energia_plugins.console.svg import COLUMN, NARROW
from energia_plugins.console.words import words
from tests.core.metering.test_endpoints import SITE
from tests.serving import Client, Serving, make_core
from tests.typing.panels import Standby

routes = Routes(reads=tuple(SCOPES), documented=False)
_MACRO = '{% import "parts.html" as parts with context %}{{ parts.panels(shown) }}'


@routes.get("/console/panels", produces=("text/html",))
async def show(
    request: web.Request, place: Place = "overview", contract: str | None = None
) -> web.Response:
    """Show the panels of a page, and nothing else."""
    view = View.of(request)
    shown = await panels_of(view, place, Subject(contract=contract))
    template = environment(view.words.language).from_string(_MACRO)
    text = template.render(shown=shown, view=view, form_token="")
    return web.Response(text=text, content_type="text/html")


@attrs.frozen
class Offer:
    """A plugin that offers panels, and the page that shows them."""

    panels: tuple[Panel, ...] = ()

    @hookimpl
    def register_panels(self) -> list[Panel]:
        """Offer the panels."""
        return list(self.panels)

    @hookimpl
    def register_routes(self) -> Routes:
        """Offer the page."""
        return routes


async def page(client: Client, language: str = "en", **query: str) -> str:
    """Return the page with the panels."""
    headers = {"Accept-Language": language}
    async with client.get("/console/panels", headers=headers, params=query) as answer:
        assert answer.status == 200
        return await answer.text()


def plugins(*panels: Panel) -> Plugins:
    """Return the console, and a plugin with panels."""
    return Plugins.of(console=Console(Settings()), offer=Offer(panels))


async def test_everything_that_a_panel_may_have(pool: Pool, serving: Serving) -> None:
    """Its numbers and dates are written as its reader writes them; its template is escaped."""
    async with serving(make_core(plugins=plugins(Standby()), pool=pool)) as client:
        await client.put("/v1/sites/home", json=SITE)
        english, portuguese = await page(client), await page(client, "pt")

    assert '<h2 id="panel-standby-title">Standby</h2>' in english
    assert "1 in en" in english
    assert "Cost, GBP" in english
    assert ">1,234.50<" in english
    assert "&lt;at night&gt; 10.5%" in english
    assert "Consumo em espera" in portuguese
    assert ">1.234,50<" in portuguese
    assert "O que foi suposto" in portuguese
    assert "style=" not in english
    assert english.count("<svg") == 4


async def test_a_panel_without_an_answer_is_not_there(pool: Pool, serving: Serving) -> None:
    """Its question does not arise."""
    async with serving(make_core(plugins=plugins(Standby()), pool=pool)) as client:
        assert "<section" not in await page(client)


@attrs.frozen
class Faulty:
    """A panel that fails in the way that its name says."""

    name: str
    places: ClassVar[tuple[Place, ...]] = ("overview",)
    titles: ClassVar[Mapping[Language, str]] = {"en": "Faulty", "pt-BR": "Com defeito"}
    timeout: float = 0.05

    async def content(self, api: Api, subject: Subject, language: Language) -> Content | None:
        """Fail."""
        match self.name:
            case "late":
                await asyncio.sleep(60)
            case "refused":
                raise Invalid("the window is too long")
            case "denied":
                await api.call("there_is_no_such_operation")
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("name", "said", "logged"),
    [
        ("late", "It takes too long just now.", "panel_late"),
        ("refused", "The window is too long.", None),
        ("broken", "It cannot be shown: something is wrong with it.", "panel_failed"),
    ],
)
async def test_a_panel_that_fails_says_so_in_its_place(
    serving: Serving, name: str, said: str, logged: str | None
) -> None:
    """The page stands, and whoever runs the service reads of it in the log."""
    async with serving(make_core(plugins=plugins(Faulty(name)))) as client:
        with capture_logs() as lines:
            text = await page(client)

    assert said in text
    assert [line["event"] for line in lines if "panel" in line] == ([logged] if logged else [])


async def test_what_is_not_loaded_or_not_allowed_is_not_shown(serving: Serving) -> None:
    """A panel that asks for it has no place on the page."""
    async with serving(make_core(plugins=plugins(Faulty("denied")))) as client:
        assert "<section" not in await page(client)


def test_bars_over_the_limit_are_in_ink_with_their_value() -> None:
    """A missing one is a dashed frame; a phone has the last twelve."""
    many = tuple((str(month), Decimal(month)) for month in range(1, 25))
    drawn = bars(words("pt-BR"), Bars("kW", "kW", (*many, ("x", None)), limit=22), COLUMN)
    narrow = bars(words("pt-BR"), Bars("kW", "kW", many), NARROW)

    assert drawn.count('class="ink"') == 2
    assert drawn.count('class="missing"') == 1
    assert 'class="limit"' in drawn
    assert narrow.count("<rect") == 12


def test_the_names_of_bars_do_not_collide() -> None:
    """On a phone there is room for some of them, the last among these; numbers are alike exact."""
    year = tuple((f"{month:02}/26", Decimal(month * 4)) for month in range(1, 13))

    wide = bars(words("pt-BR"), Bars("kW", "kW", year, limit=30), COLUMN)
    narrow = bars(words("pt-BR"), Bars("kW", "kW", year, limit=30), NARROW)

    assert re.findall(r">(\d\d)/26</text>", wide) == [f"{month:02}" for month in range(1, 13)]
    assert re.findall(r">(\d\d)/26</text>", narrow) == ["02", "04", "06", "08", "10", "12"]
    over = re.findall(r'class="strong"[^>]*>([^<]+)<', wide)
    assert over == ["32,0", "36,0", "40,0", "44,0", "48,0"]


def test_a_number_without_an_end_is_cut() -> None:
    """A third is no page long; what has an end is as exact as it is."""
    assert exact(Fraction(1, 3)) == Decimal("0.333333")
    assert exact(Fraction(5, 4)) == Decimal("1.25")
    assert exact(Decimal("1.2345678")) == Decimal("1.2345678")
