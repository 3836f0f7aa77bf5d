"""The Brazilian kit: tariffs of Brazil's distributors, made out of dated tables.

`[plugins.tariff-brazil] data = "/etc/energia/brazil"` names a folder whose files take the place of
the tables of the same names; `sources` are URLs from which newer ones are fetched. Tariffs that
follow the tables are made anew when these change.
"""

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
import click
from aiohttp.typedefs import Middleware
from msgspec import Meta

from energia import Probe, Route, RoutesBelow, Task, hookimpl
from energia_plugins.tariff_brazil.probe import TablesProbe
from energia_plugins.tariff_brazil.shelf import Shelf
from energia_plugins.tariff_brazil.speaking import speak
from energia_plugins.tariff_brazil.table_files import names
from energia_plugins.tariff_brazil.upkeep_task import UpkeepTask

if TYPE_CHECKING:
    from energia import Charge, Panel

__all__ = ["Settings", "TariffBrazil"]

Url = Annotated[
    str,
    Meta(pattern=r"^https?://", extra={"words": "a URL that begins with http:// or https://"}),
]


@attrs.frozen(kw_only=True)
class Settings:
    """`[plugins.tariff-brazil]`.

    Attributes:
        data: A folder with tables of one's own; without one, those of the release.
        sources: URLs of tables, by the names of the files: `{"tarifas.csv" = "https://..."}`.
        period: Seconds between two looks at them.

    """

    data: str | None = None
    sources: dict[str, Url] = attrs.Factory(dict)
    period: Annotated[float, Meta(gt=0)] = 86_400.0


class TariffBrazil:
    """The plugin."""

    def __init__(self, settings: Settings) -> None:
        if settings.data is not None and not Path(settings.data).is_dir():
            raise ValueError(f"data: {settings.data} is no folder")
        if unknown := sorted(settings.sources.keys() - set(names())):
            raise ValueError(f"sources: {unknown[0]} is no table; there are {', '.join(names())}")
        self._settings = settings
        self._shelf = Shelf(settings.data, bool(settings.sources))

    @hookimpl
    def register_migrations(self) -> list[Traversable]:
        """Offer the tables of what was fetched, and of what follows."""
        return [files(__package__) / "migrations"]

    @hookimpl
    def register_middlewares(self) -> list[Middleware]:
        """Let the kit speak English to who prefers it."""
        return [speak]

    @hookimpl
    def register_routes(self) -> list[RoutesBelow]:
        """Offer the routes of `/v1/brazil`."""
        return [RoutesBelow("/v1/brazil", self._routes)]

    def _routes(self) -> Sequence[Route]:
        from energia_plugins.tariff_brazil.routes import routes_of

        return routes_of(self._shelf)

    @hookimpl
    def register_tasks(self) -> list[Task]:
        """Offer what fetches tables, and what makes tariffs anew."""
        sources, period = self._settings.sources, self._settings.period
        upkeep = UpkeepTask(self._shelf)
        if not sources:
            return [upkeep]
        # Few services fetch tables, and it needs all that reads them.
        from energia_plugins.tariff_brazil.updates import TableUpdate

        return [TableUpdate(self._shelf, sources, period), upkeep]

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Offer whether tables and tariffs are the newest."""
        return [TablesProbe(self._shelf)]

    @hookimpl
    def register_charges(self) -> "list[type[Charge]]":
        """Offer the charge `brazil.scee`."""
        from energia_plugins.tariff_brazil.scee import Scee

        return [Scee]

    @hookimpl
    def register_panels(self) -> "Sequence[Panel]":
        """Offer the kit's questions on the pages of the console."""
        from energia_plugins.tariff_brazil.panels import PANELS

        return PANELS

    @hookimpl
    def register_commands(self) -> list[click.Command]:
        """Offer `energia brasil`."""
        from energia_plugins.tariff_brazil.commands import brasil

        return [brasil(self._settings.data)]
