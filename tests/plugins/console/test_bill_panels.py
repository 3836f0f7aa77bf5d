"""Panels of plugins on a bill."""

from collections.abc import Mapping
from typing import ClassVar

import attrs

from energia import hookimpl
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Auth, Settings
from energia.web.calls import Api
from energia.web.panels import Content, Language, Panel, Place, Subject
from energia_plugins import console, tariff_flat
from tests.plugins.console import inn
from tests.plugins.console.service import Service
from tests.serving import LOOPBACK, Serving, make_core


@attrs.frozen
class Advice:
    """A panel that says which bill it is shown on."""

    name: ClassVar[str] = "advice"
    places: ClassVar[tuple[Place, ...]] = ("bill",)
    titles: ClassVar[Mapping[Language, str]] = {"en": "Advice", "pt-BR": "Conselho"}

    async def content(self, api: Api, subject: Subject, language: Language) -> Content | None:
        """Return a sentence about the bill."""
        return Content(answer=f"{subject.contract}, {subject.start} to {subject.end}")


class Advises:
    """A plugin that offers it."""

    @hookimpl
    def register_panels(self) -> list[Panel]:
        """Offer the panel."""
        return [Advice()]


async def test_a_panel(pool: Pool, serving: Serving) -> None:
    """What plugins have to say of a bill is below it, and is not printed."""
    plugins = Plugins.of(
        console=console.Console(console.Settings()), flat=tariff_flat, advises=Advises()
    )
    settings = Settings(auth=Auth(required=False), outgoing=LOOPBACK)
    core = make_core(plugins=plugins, pool=pool, settings=settings)
    async with serving(core) as client:
        service = Service(client, pool)
        await inn.fill(service, charges=[{"kind": "energy.flat", "rate": "0.25"}])
        page = await service.get(f"/console/bills/{await inn.issue(service)}")
    assert "Advice inn-2026, 2026-03-02 to 2026-03-04" in page.text
    assert "Advice" in page.html.rpartition('<div class="no-print">')[2]
