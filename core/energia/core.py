"""What a running service offers to routes and plugins."""

from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from energia.db.pool import Pool
    from energia.health.state import State
    from energia.plugins import Plugins
    from energia.settings import Settings
    from energia.time import Clock


@attrs.frozen(eq=False)
class Core:
    """One running service.

    Attributes:
        settings: The effective configuration.
        clock: Tells the time.
        pool: Connections to PostgreSQL.
        state: Whether the service starts, serves or drains.
        plugins: The loaded plugins, one typed method per hook.

    """

    settings: "Settings"
    clock: "Clock"
    pool: "Pool"
    state: "State"
    plugins: "Plugins"


# What a new database of a preview is filled with, so that there is something to look at.


class Seed(Protocol):
    """Fills a migrated database with made-up or public data; never with production's.

    Example:
        class TwoSites:
            name = "two-sites"

            async def sow(self, core: Core) -> None:
                await core.pool.tenant().execute(...)

    """

    @property
    def name(self) -> str:
        """The name by which `preview.seed` asks for it."""
        ...

    async def sow(self, core: "Core") -> None:
        """Fill the database, before the service is ready.

        It may be repeated, and run by several replicas at once: what is there already stays.
        """
        ...
