"""The server that has the databases of previews, from another database of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Self, TypeVar

import attrs

from energia.db.address import renamed
from energia.db.previews import registry
from energia.db.previews.dropping import drop
from energia.db.previews.making import Made, Wanted, make
from energia.db.previews.marker import Marker
from energia.db.previews.reaping import Reaped, reap
from energia.db.previews.registry import Preview
from energia.db.session import Session, in_thread
from energia.errors import ConfigurationError
from energia.settings import Preview as Rules
from energia.settings import Settings

T = TypeVar("T")

#: A copy takes as long as it takes; a lock that nobody gives is given up.
_OPTIONS: Final = {"statement_timeout": "0", "lock_timeout": "60s"}


class Cluster:
    """The databases of previews on one server. Each call is a connection of its own.

    All raise `DatabaseAway` where there is no server, and `DatabaseError` for what it refuses.
    """

    def __init__(self, url: str, rules: Rules) -> None:
        """Name the server by the URL of a role; the database in it is not used."""
        self._dsn = renamed(url, rules.maintenance_database)
        self._rules = rules

    @classmethod
    def administered(cls, settings: Settings) -> Self:
        """Return the server that `preview.admin_url` names.

        Raises:
            ConfigurationError: It names none; a preview never has one.

        """
        if not settings.preview.admin_url or settings.profile == "preview":
            raise ConfigurationError("preview.admin_url is not set, or this is a preview")
        return cls(settings.preview.admin_url, settings.preview)

    async def previews(self) -> list[Preview]:
        """Return all databases of previews, by their number."""
        return await self._run(registry.every)

    async def make(self, wanted: Wanted) -> Made:
        """Make a database if there is none; see `energia.db.previews.making.make`."""
        return await self._run(lambda session: make(session, wanted))

    async def seen(self, pr: int) -> bool:
        """Say that a preview runs; tells whether it has a database."""
        return await self._change(pr, lambda at, was: attrs.evolve(was, seen_at=at))

    async def sown(self, pr: int, seed: str) -> bool:
        """Say what a database was filled with; tells whether it is there."""
        return await self._change(pr, lambda _, was: attrs.evolve(was, seed=seed))

    async def close(self, pr: int, told_at: datetime | None = None) -> bool:
        """Say that a pull request is closed; tells whether it has a database.

        *told_at* is when that happened, by the clock of who tells it: what happened before the
        last thing that was told changes nothing, in whatever order it comes.
        """
        return await self._change(pr, lambda at, was: _told(was, at, told_at))

    async def reopen(self, pr: int, told_at: datetime | None = None) -> bool:
        """Say that a pull request is open again; as `close`."""
        return await self._change(pr, lambda _, was: _told(was, None, told_at))

    async def drop(self, pr: int) -> bool:
        """Drop a database; see `energia.db.previews.dropping.drop`."""
        return await self._run(lambda session: drop(session, pr))

    async def reap(self, *, dry_run: bool = False, patience: float = 0) -> Reaped:
        """Drop what is due; see `energia.db.previews.reaping.reap`."""
        return await self._run(
            lambda session: reap(session, self._rules, dry_run=dry_run, patience=patience)
        )

    async def _change(self, pr: int, changed: Callable[[datetime, Marker], Marker]) -> bool:
        """Change a marker by the present instant and what it was."""
        return await self._run(
            lambda session: registry.change(session, pr, lambda one, was: changed(one.at, was))
        )

    async def _run(self, work: Callable[[Session], T]) -> T:
        return await in_thread(self._dsn, work, _OPTIONS)


def _told(was: Marker, closed_at: datetime | None, told_at: datetime | None) -> Marker:
    if told_at and was.told_at and told_at < was.told_at:
        return was
    if closed_at and was.closed_at:
        closed_at = was.closed_at
    return attrs.evolve(was, closed_at=closed_at, told_at=told_at or was.told_at)
