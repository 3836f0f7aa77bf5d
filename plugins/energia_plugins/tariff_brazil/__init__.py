"""The Brazilian kit: tariffs of Brazil's distributors, made out of dated tables.

`[plugins.tariff-brazil] data = "/etc/energia/brazil"` names a folder whose files take the place of
the tables of the same names.
"""

from collections.abc import Sequence
from pathlib import Path

import attrs
import click

from energia import Charge, Route, hookimpl
from energia_plugins.tariff_brazil.commands import brasil
from energia_plugins.tariff_brazil.routes import routes_of
from energia_plugins.tariff_brazil.scee import Scee

__all__ = ["Settings", "TariffBrazil"]


@attrs.frozen(kw_only=True)
class Settings:
    """`[plugins.tariff-brazil]`.

    Attributes:
        data: A folder with tables of one's own; without one, those of the release.

    """

    data: str | None = None


class TariffBrazil:
    """The plugin."""

    def __init__(self, settings: Settings) -> None:
        if settings.data is not None and not Path(settings.data).is_dir():
            raise ValueError(f"data: {settings.data} is no folder")
        self._folder = settings.data

    @hookimpl
    def register_routes(self) -> Sequence[Route]:
        """Offer the routes of `/v1/brazil`."""
        return routes_of(self._folder)

    @hookimpl
    def register_charges(self) -> list[type[Charge]]:
        """Offer the charge `brazil.scee`."""
        return [Scee]

    @hookimpl
    def register_commands(self) -> list[click.Command]:
        """Offer `energia brasil`."""
        return [brasil(self._folder)]
