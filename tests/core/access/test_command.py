"""`energia token`, as an operator uses it."""

import asyncio
import re

import pytest
from click.testing import CliRunner, Result

from energia.access.authentication import Authentication
from energia.access.callers import Caller
from energia.cli.main import energia
from energia.db.pool import Pool
from energia.errors import Unauthenticated
from energia.settings import Database
from tests.serving import make_core

ADMIN = ("token", "create", "--name", "admin", "--scope", "admin")


@pytest.fixture(name="environ")
def _environ(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(energia, arguments)


def caller_of(database: str, text: str) -> Caller:
    """Return who a service would take the sender of a token for."""

    async def ask() -> Caller:
        pool = Pool(database, Database())
        try:
            return await Authentication(make_core(pool=pool)).caller(text)
        finally:
            await pool.close()

    return asyncio.run(ask())


@pytest.mark.usefixtures("environ")
def test_create_prints_the_token_alone(database: str) -> None:
    """Standard output is the token and nothing else, so that a script may take it."""
    done = run(*ADMIN)

    assert re.fullmatch(r"energia_1x[0-9a-f]{10}_[0-9a-f]{64}\n", done.stdout), done.output
    caller = caller_of(database, done.stdout.strip())
    assert (caller.name, caller.scopes) == ("admin", frozenset({"admin"}))


def test_before_the_first_service(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database without any table is migrated first, which is said beside the token, once."""
    monkeypatch.setenv("DATABASE_URL", empty_database)

    first, second = run(*ADMIN), run(*ADMIN)

    assert first.stdout.startswith("energia_1x"), first.output
    assert "energia: the database was migrated first, to " in first.stderr
    assert "migrated" not in second.stderr


@pytest.mark.usefixtures("environ")
def test_list_shows_no_secret() -> None:
    """Prefix, name, scopes, limits and expiry are listed, and names are taken as they are."""
    options = ("--scope", "readings:write", "--meter", "UC-123", "--expires", "P90D")
    made = run("token", "create", "--name", "[red]logger", *options)
    _, prefix, secret = made.stdout.strip().split("_")

    listed = (run("token", "list")).output

    assert all(text in listed for text in (prefix, "[red]logger", "readings:write", "UC-123"))
    assert secret not in listed


@pytest.mark.usefixtures("environ")
def test_rotate_and_revoke(database: str) -> None:
    """The new secret is printed alone; a revoked token lets nobody in."""
    first = (run(*ADMIN)).stdout.strip()
    prefix = first.split("_")[1]

    second = (run("token", "rotate", prefix)).stdout.strip()
    caller_of(database, second)
    revoked = run("token", "revoke", prefix)

    assert (revoked.exit_code, revoked.stdout) == (0, "")
    for text in (first, second):
        with pytest.raises(Unauthenticated):
            caller_of(database, text)


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scope", "readings"), "'readings' is not one of"),
        (("--scope", "admin", "--expires", "soon"), "neither a length such as P90D nor a date"),
        (("--scope", "admin", "--expires", "2020-01-01"), "would have expired already"),
        (("--scope", "admin", "--organization", "nobody"), "no organization 'nobody'"),
        (("--scope", "admin", "--meter", "a b"), "/meters"),
    ],
)
def test_what_does_not_fit(options: tuple[str, ...], said: str) -> None:
    """It is refused, by name, and no token is printed."""
    done = run("token", "create", "--name", "x", *options)

    assert done.exit_code != 0
    assert said in done.output
    assert "energia_" not in done.output
