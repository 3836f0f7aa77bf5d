"""Organizations: made, listed, renamed, and deleted when they have nothing."""

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia
from energia.db import organizations
from energia.db.organizations import Organization
from energia.db.pool import Pool
from energia.errors import Conflict, Invalid, NotFound
from tests.core.db.test_role import SITE


async def test_an_organization_is_made_and_listed(pool: Pool) -> None:
    """Each has a number of its own, which is never used again."""
    made = await organizations.create(pool, "North")
    await organizations.delete(pool, "North")
    again = await organizations.create(pool, "North")

    assert await organizations.every(pool) == [Organization(1, "default"), again]
    assert made.key < again.key
    assert await organizations.keys(pool) == [1, again.key]


async def test_a_name_is_taken_once(pool: Pool) -> None:
    """Neither a new organization nor a renamed one takes the name of another."""
    await organizations.create(pool, "North")
    await organizations.create(pool, "South")

    with pytest.raises(Conflict, match="'North'"):
        await organizations.create(pool, "North")
    with pytest.raises(Conflict, match="'North'"):
        await organizations.rename(pool, "South", "North")
    assert (await organizations.rename(pool, "South", "Sur")).name == "Sur"


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 65, "\0"])
async def test_a_name_is_printable(pool: Pool, name: str) -> None:
    """A name is what logs and lists can show."""
    with pytest.raises(Invalid, match="1 to 64 printable characters"):
        await organizations.create(pool, name)


async def test_only_an_empty_organization_is_deleted(pool: Pool) -> None:
    """The refusal names what it has, and what is another's does not count."""
    made = await organizations.create(pool, "North")
    await pool.tenant().execute(SITE.format(1, "a"))
    await pool.tenant(made.key).execute(SITE.format(made.key, "a"))

    with pytest.raises(Conflict, match=r"has rows in site$"):
        await organizations.delete(pool, "North")
    await pool.tenant(made.key).execute("delete from site")
    await organizations.delete(pool, "North")

    with pytest.raises(NotFound, match="'North'"):
        await organizations.delete(pool, "North")
    assert await pool.tenant().fetch(str, "select id from site") == ["a"]


async def test_the_first_organization_stays(pool: Pool) -> None:
    """It is that of whoever needs no token."""
    with pytest.raises(Conflict, match="stays as it is"):
        await organizations.delete(pool, "default")
    with pytest.raises(Conflict, match="stays as it is"):
        await organizations.rename(pool, "default", "North")


def run(database: str, *arguments: str) -> Result:
    """Run `energia organization`."""
    environment = {"DATABASE_URL": database}
    return CliRunner().invoke(energia, ["organization", *arguments], env=environment)


def test_the_command_makes_lists_renames_and_deletes(database: str) -> None:
    """`energia organization` does all of it, and says in one line what it refuses."""
    assert run(database, "create", "North").output == "2 North\n"
    assert run(database, "rename", "North", "Sur").exit_code == 0
    assert run(database, "list").output == "1 default\n2 Sur\n"
    assert run(database, "delete", "Sur").exit_code == 0
    refused = run(database, "delete", "Sur")

    assert (refused.exit_code, refused.output) == (1, "energia: there is no organization 'Sur'\n")
