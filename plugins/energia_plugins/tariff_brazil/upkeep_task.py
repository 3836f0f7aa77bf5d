"""The task that makes tariffs anew: it is there in every service, what it does is in few."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from energia import Core
from energia_plugins.tariff_brazil.shelf import Shelf

if TYPE_CHECKING:
    from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["UpkeepTask"]

_ANY: Final = "select 1 from brazil_tariff limit 1"


@attrs.frozen
class UpkeepTask:
    """Makes the tariffs anew that were made by other tables.

    Attributes:
        shelf: The tables in use.

    """

    shelf: Shelf
    name: str = "brazil-tariffs"
    period: float = 60.0

    async def run(self, core: Core, _: Mapping[str, Any], /) -> None:
        """Make them; where none follows, neither the tables nor what reads them are loaded."""
        if not await core.pool.everywhere().fetch(int, _ANY):
            return
        tables = await self.shelf.tables(core)
        renew_all = await asyncio.to_thread(_renew_all, core)
        await renew_all(core, tables)


def _renew_all(core: Core) -> "Callable[[Core, Tables], Awaitable[None]]":
    """Import what makes tariffs anew, with all that a tariff may have in it."""
    from energia_plugins.tariff_brazil.upkeep import renew_all

    core.plugins.charges()
    return renew_all
