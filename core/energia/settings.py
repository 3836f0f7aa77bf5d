"""The configuration: what can be set, and its defaults. Times are in seconds."""

from typing import Any

import attrs


@attrs.frozen
class Server:
    """Where the service listens, and how it stops."""

    host: str = "0.0.0.0"
    port: int = 8080
    drain_ready: float = 2.0
    drain: float = 10.0
    shutdown_timeout: float = 8.0
    stop_grace: float = 30.0


@attrs.frozen
class Database:
    """How PostgreSQL is reached."""

    url: str = attrs.field(default="embedded:", repr=False)
    pool_size: int = 10
    acquire_timeout: float = 5.0
    connect_timeout: float = 5.0
    statement_timeout: float = 30.0
    lock_timeout: float = 3.0


@attrs.frozen
class Health:
    """How health is probed."""

    period: float = 3.0
    timeout: float = 2.0
    database_grace: float = 30.0


@attrs.frozen
class Readings:
    """How readings are stored."""

    live_grace: float = 7200.0


@attrs.frozen
class Limits:
    """What a request may ask for."""

    body_bytes: int = 64 * 1024**2
    import_bytes: int = 2 * 1024**3
    problems: int = 1000
    slots: int = 3_000_000


@attrs.frozen
class PluginSelection:
    """Which plugins run, by shell patterns over their names, and their own settings."""

    enabled: tuple[str, ...] = ("*",)
    disabled: tuple[str, ...] = ()
    settings: dict[str, dict[str, Any]] = attrs.Factory(dict)


@attrs.frozen
class Settings:
    """The whole configuration."""

    profile: str = "development"
    server: Server = Server()
    database: Database = Database()
    health: Health = Health()
    readings: Readings = Readings()
    limits: Limits = Limits()
    plugins: PluginSelection = PluginSelection()
