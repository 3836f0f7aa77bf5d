"""A database for the tests of a plugin's migrations, on a server that begins for them."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from itertools import count
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import attrs

from energia.db.embedded import ADMIN, ROLE, Embedded
from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.session import Name, Session, in_thread

T = TypeVar("T")
_NUMBERS: Final = count(1)


@attrs.frozen
class ScratchDatabase:
    """A database as this release of Energia makes it, without a row, for one test.

    Its methods block: a test that uses it is no coroutine. Like a migration, a statement sees the
    rows of every organization; that of `of(1)` those of the first one alone, as a service's do.

    Attributes:
        dsn: Its libpq URL, of the ordinary role that owns it, as that of a service.
        organization: The key of the organization whose rows statements see; None for those of all.

    Example:
        def test_members_keep_their_meters(energia_database: ScratchDatabase) -> None:
            energia_database.migrate(FIRST)  # the folder as the release before had it
            energia_database.execute("insert into acme_member values (1, 'M-1')")

            assert energia_database.migrate(FOLDER) == ("acme 0002_since",)
            assert energia_database.rows("select meter_id from acme_member") == [("M-1",)]

    """

    dsn: str
    organization: int | None = None

    def of(self, organization: int) -> Self:
        """Return the database as one organization sees it.

        Its key is `current_setting('energia.organization')::int` in a statement.
        """
        return attrs.evolve(self, organization=organization)

    def migrate(self, folder: Traversable, plugin: str = "acme") -> tuple[str, ...]:
        """Apply the files of a plugin's folder that are pending, and return them.

        Args:
            folder: The folder that `register_migrations` returns.
            plugin: The name under which they are remembered.

        Raises:
            MigrationError: A file fails, or one that was applied has changed; it is named.

        """
        return asyncio.run(migrate(self.dsn, {**CORE_MIGRATIONS, plugin: folder})).applied

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a statement, whose parameters are `%s`."""
        seen = "*" if self.organization is None else str(self.organization)
        options = {"energia.organization": seen}
        return _run(self.dsn, lambda session: session.fetch(sql, *parameters), options)

    def execute(self, sql: str, *parameters: object) -> None:
        """Run a statement that has no rows."""
        self.rows(sql, *parameters)


@contextmanager
def server() -> Iterator[Embedded]:
    """Run a server in a folder that is gone afterwards; it needs `energia[embedded]`."""
    # The path of a socket is short, and an account other than root's must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="energia-"))
    folder.chmod(0o755)
    embedded = Embedded(folder / "server")
    try:
        embedded.start()
        try:
            yield embedded
        finally:
            embedded.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch(on: Embedded) -> Iterator[ScratchDatabase]:
    """Make a database with the tables of the core, and drop it afterwards."""
    name, admin = Name(f"scratch_{next(_NUMBERS)}"), on.dsn(ADMIN, ADMIN)
    _run(admin, lambda session: session.command("create database {} owner {}", name, Name(ROLE)))
    try:
        dsn = on.dsn(database=name.text)
        asyncio.run(migrate(dsn))
        yield ScratchDatabase(dsn)
    finally:
        _run(admin, lambda session: session.command("drop database {} with (force)", name))


def _run(dsn: str, work: Callable[[Session], T], options: Mapping[str, str] | None = None) -> T:
    return asyncio.run(in_thread(dsn, work, options or {}))
