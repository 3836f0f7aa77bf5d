"""Whether the tables are the newest, and tariffs follow them."""

import attrs

from energia import Core, Criticality, Observed
from energia_plugins.tariff_brazil.shelf import Shelf

__all__ = ["TablesProbe"]

_TABLES = "select name || ': ' || trouble from brazil_table where trouble is not null order by name"
_TARIFFS = "select count(*), min(trouble) from brazil_tariff where trouble is not null"


@attrs.frozen
class TablesProbe:
    """Warns of tables that were not taken, and of tariffs that do not follow.

    Attributes:
        shelf: The tables in use.

    """

    shelf: Shelf
    name: str = "brazil-tables"
    criticality: Criticality = "degraded"
    measurement: str = "problems"

    async def check(self, core: Core, /) -> Observed:
        """Count what is in trouble."""
        everywhere = core.pool.everywhere()
        troubles = await everywhere.fetch(str, _TABLES)
        if self.shelf.trouble:
            troubles.append(self.shelf.trouble)
        ((tariffs, first),) = await everywhere.fetch(_both, _TARIFFS)
        if tariffs:
            troubles.append(f"{tariffs} tariffs do not follow the tables: {first}")
        return Observed(len(troubles), "problems", "; ".join(troubles) or None)


def _both(tariffs: int, first: str | None) -> tuple[int, str | None]:
    return tariffs, first
