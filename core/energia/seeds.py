"""What a new database of a preview is filled with, so that there is something to look at."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from energia.core import Core


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
