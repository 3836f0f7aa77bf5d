"""Which kinds of charge stored tariffs need, and who offers those that are missing."""

from typing import Final

import attrs

from energia.assembly import late
from energia.db.queries import load
from energia.db.tenant import Queries
from energia.plugins import Plugins
from energia.plugins.discovery import offering

SQL: Final = load(__package__)


@attrs.frozen
class MissingKind:
    """A kind of charge that no loaded plugin offers.

    Attributes:
        kind: What a charge says in `kind`.
        plugin: The installed plugin that has it; null where none is known.

    """

    kind: str
    plugin: str | None

    def __str__(self) -> str:
        """Say what is missing."""
        owner = f"of the plugin {self.plugin!r}" if self.plugin else "of a plugin"
        return f"the charge {self.kind!r} {owner} that is not loaded"


@attrs.frozen
class NeededKind:
    """A kind of charge that no loaded plugin offers, and the tariffs that have it.

    Attributes:
        kind: The kind.
        tariffs: How many tariffs have it.
        first: The id of the first of them.

    """

    kind: str
    tariffs: int
    first: str

    def __str__(self) -> str:
        """Say which tariffs need what."""
        others = f" and {self.tariffs - 1} more" if self.tariffs > 1 else ""
        return f"{self.first!r}{others}: {MissingKind(self.kind, offering(self.kind))}"


async def needed_kinds(queries: Queries, plugins: Plugins) -> list[NeededKind]:
    """Return the kinds of charge that stored tariffs have and no loaded plugin offers.

    Plugins that only offer charges are not imported for a service that has no tariff.
    """
    if await queries.fetch(bool, SQL["tariff_any"]) == [False]:
        return []
    kinds = sorted(await late(plugins.charges))
    return await queries.fetch(NeededKind, SQL["tariff_needs"], {"kinds": kinds})
