"""What a running service offers to routes and plugins."""

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from energia.clock import Clock
    from energia.db.pool import Pool
    from energia.health.state import State
    from energia.plugins import Plugins
    from energia.settings import Settings


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
