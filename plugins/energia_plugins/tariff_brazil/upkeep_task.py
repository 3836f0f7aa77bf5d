"""The task that makes tariffs anew: it is there in every service, what it does is in few."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from energia import Core
from energia_plugins.tariff_brazil.shelf import Shelf

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
        # 15 ms, as the tables are loaded.
        from energia_plugins.tariff_brazil.upkeep import renew_all

        await renew_all(core, tables)
