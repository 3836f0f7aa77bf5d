"""Organizations: whose rows there are. Work in the background goes from one to the next."""

from typing import Final

import attrs

from energia.db.pool import Pool
from energia.errors import Conflict, Invalid, NotFound, UniqueViolation

#: What plugins may use.
__all__ = ["keys"]

#: The one that there always is; whoever needs no token works for it.
DEFAULT: Final = 1
_LONGEST: Final = 64
#: What is made by itself, and goes with its organization.
_OWN: Final = (
    *("access_token", "archive_extent", "bill_webhook_since", "deletion"),
    *("source", "source_state"),
    *("webhook", "webhook_event", "webhook_finding"),
)
#: What outlives its organization.
_KEPT: Final = ("audit",)

_TABLES: Final = """select c.relname::text
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
order by 1"""


@attrs.frozen
class Organization:
    """An organization, in the order of its columns.

    Attributes:
        key: The number by which rows name it; never used again.
        name: What people call it.

    """

    key: int
    name: str


async def keys(pool: Pool) -> list[int]:
    """Return the keys of all organizations: what is done for each is done as each of them."""
    return await pool.everywhere().fetch(int, "select id from organization order by id")


async def every(pool: Pool) -> list[Organization]:
    """Return all organizations, by their age."""
    return await pool.everywhere().fetch(
        Organization, "select id, name from organization order by id"
    )


async def find(pool: Pool, name: str) -> Organization:
    """Return an organization by its name; raises `NotFound`."""
    found = await pool.everywhere().fetch(
        Organization, "select id, name from organization where name = %s", name
    )
    if not found:
        raise NotFound(f"there is no organization {name!r}")
    return found[0]


async def create(pool: Pool, name: str) -> Organization:
    """Make an organization.

    Raises:
        Invalid: The name is empty, too long, or has characters that cannot be printed.
        Conflict: There is one of this name.

    """
    _check(name)
    try:
        (made,) = await pool.everywhere().fetch(
            Organization, "insert into organization (name) values (%s) returning id, name", name
        )
    except UniqueViolation as error:
        raise Conflict(f"there is an organization {name!r} already") from error
    return made


async def rename(pool: Pool, name: str, new: str) -> Organization:
    """Give an organization another name; raises as `find` and `create`."""
    _check(new)
    key = await _changeable(pool, name)
    try:
        await pool.everywhere().execute("update organization set name = %s where id = %s", new, key)
    except UniqueViolation as error:
        raise Conflict(f"there is an organization {new!r} already") from error
    return Organization(key, new)


async def delete(pool: Pool, name: str) -> None:
    """Delete an organization that has nothing, with its tokens.

    Raises:
        NotFound: There is none.
        Conflict: It has something, which the message names; or it is the first one.

    """
    key = await _changeable(pool, name)
    async with pool.everywhere().transaction() as queries:
        # Who stores something for it meanwhile waits, and is refused.
        await queries.execute("select from organization where id = %s for update", key)
        tables = await queries.fetch(str, _TABLES)
        for table in set(tables) & set(_OWN):
            of_table = f"delete from {table} where organization_id = %s"  # noqa: S608 - ours
            await queries.execute(of_table, key)
        has = [
            table
            for table in tables
            if table not in _KEPT
            if await queries.fetch(
                int,
                f'select 1 from "{table}" where organization_id = %s limit 1',  # noqa: S608 - quoted
                key,
            )
        ]
        if has:
            raise Conflict(f"the organization {name!r} has rows in {', '.join(has)}")
        await queries.execute("delete from organization where id = %s", key)


async def _changeable(pool: Pool, name: str) -> int:
    key = (await find(pool, name)).key
    if key == DEFAULT:
        raise Conflict(f"{name!r} is the organization of whoever needs no token: it stays as it is")
    return key


def _check(name: str) -> None:
    if not (name.strip() == name and name.isprintable() and 0 < len(name) <= _LONGEST):
        raise Invalid.of(
            "organization_name",
            f"the name of an organization has 1 to {_LONGEST} printable characters, and no space "
            "at either end",
            "/name",
        )
