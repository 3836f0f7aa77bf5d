"""The role that the service works as, and what a connection needs so that every message is bound.

Row policies do not bind a superuser, nor a role with BYPASSRLS. Whoever logs in as one works as an
ordinary role: it is set in each message, with the organization. It is made once for a server, which
may have the databases of several services; what it may do is said in each database, and goes with
it. Nobody can log in as it. All superusers share `energia_tenant`; a role that is none may use only
what it made itself, so it has one of its own, `energia_tenant_<role>`.

A connection pooler (PgBouncer in transaction mode) does not keep what a session is set to: then the
settings, time limits above all, go in each message as well.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import attrs
import psycopg2
from psycopg2 import errorcodes

from energia.db.address import MARKER
from energia.db.connection import Connection
from energia.db.session import Name, Session
from energia.db.shards import KNOWN, LOWEST, Shards
from energia.errors import DatabaseError, MigrationError

TENANT: Final = "energia_tenant"

_BEARING: Final = f"""select current_user::text, r.rolsuper, r.rolbypassrls,
  coalesce(current_setting(%s, true), '') = 'on', {KNOWN}
from pg_roles r where r.rolname = current_user"""  # noqa: S608 - a text of ours


@attrs.frozen
class Bearing:
    """How the server takes a connection of the service.

    Attributes:
        login: The role that logs in.
        superuser: Whether it is a superuser.
        bypasses: Whether it has BYPASSRLS.
        kept: Whether the server keeps what the session is set to.
        citus: Whether the database has the extension Citus.
        shards: Where the rows of channels are, if Citus distributes their tables.

    """

    login: str = ""
    superuser: bool = False
    bypasses: bool = False
    kept: bool = True
    citus: bool = False
    shards: Shards = attrs.field(factory=Shards)

    @property
    def role(self) -> str | None:
        """The role to work as; None where row policies bind the one that logs in."""
        if self.superuser:
            return TENANT
        return _own(self.login) if self.bypasses else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of it."""
        role = f"works as {self.role}: row policies do not bind {self.login}"
        settings = "settings travel in every message: a connection pooler does not keep them"
        shards = f"readings are in {len(self.shards.lowest)} shards, without row policies"
        return (
            *([role] if self.role else []),
            *([] if self.kept else [settings]),
            *([shards] if self.shards else []),
        )

    def also(self, settings: Mapping[str, str]) -> str:
        """Return what every message sets besides the organization; *settings* if not kept."""
        own = {"role": self.role} if self.role else {}
        every = own if self.kept else {**settings, **own}
        return "".join(f", set_config('{name}', '{value}', true)" for name, value in every.items())


async def bearing(connection: Connection, limit: float) -> Bearing:
    """Ask the server how it takes a new connection."""
    rows = (await connection.run(_BEARING, (MARKER,), limit)).rows
    assert rows
    found = Bearing(*rows[0])  # type: ignore[arg-type]  # the columns are its attributes
    if not found.citus:
        return found
    shards = (await connection.run(LOWEST, None, limit)).rows or ()
    return attrs.evolve(found, shards=Shards(tuple(row[0] for row in shards)))  # type: ignore[misc]


def _own(login: str) -> str:
    """Return the name of the role that only *login* uses; a plain one, whatever that is called."""
    plain = re.fullmatch("[a-z0-9_]{1,48}", login)
    return f"{TENANT}_{login if plain else sha256(login.encode()).hexdigest()[:32]}"


# Making the role, and letting it do in a database what its owner would, if policies bound that.

#: The privileges that the role lacks, as statements: on each table, view and sequence those that
#: the owner left itself (an append-only table is one that its owner may not update), but on what
#: migrations write.
_LACKS: Final = f"""with thing as (
  select c.oid, c.relowner, c.relname,
    case c.relkind when 'S' then 'sequence' else 'table' end as kind,
    coalesce(c.relacl,
      acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)) as acl
  from pg_class c
  where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
    and pg_has_role(c.relowner, 'usage')
), may as (
  select t.oid, t.kind, t.relname, a.privilege_type as privilege,
    bool_or(a.grantee = t.relowner) as owner,
    bool_or(a.grantee = to_regrole('{TENANT}')) as role
  from thing t cross join aclexplode(t.acl) a
  where a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE')
    and (t.relname <> 'schema_migration' or a.privilege_type = 'SELECT')
    and (t.relname <> 'audit' or a.privilege_type in ('SELECT', 'DELETE'))
  group by 1, 2, 3, 4
)
select format('grant %s on %s %s to %I', string_agg(privilege, ', ' order by privilege), kind,
  oid::regclass, '{TENANT}')
from may
where owner and role is not true
group by oid, kind, relname
union all
select format('revoke %s on %s %s from %I', string_agg(privilege, ', ' order by privilege), kind,
  oid::regclass, '{TENANT}')
from may
where role and owner is not true
group by oid, kind, relname
union all
select format('alter role %I nosuperuser nobypassrls', rolname)
from pg_roles
where rolname = '{TENANT}' and (rolsuper or rolbypassrls)
union all
select format('grant usage on schema %I to %I', current_schema(), '{TENANT}')
where to_regrole('{TENANT}') is null
  or not has_schema_privilege(to_regrole('{TENANT}'), current_schema(), 'usage')
"""  # noqa: S608 - names of ours


def of(session: Session) -> str | None:
    """Return the role that the service works as, where it logs in as *session* does."""
    return Bearing(*session.fetch(_BEARING, MARKER)[0]).role


def lacks(session: Session, role: str) -> list[str]:
    """Return the statements that are to be run so that the service can work as *role*."""
    return [statement for (statement,) in session.fetch(_LACKS.replace(TENANT, role))]


def prepare(session: Session, role: str) -> None:
    """Make the role, and let it do what the owner of the tables may; in the turn of a migration.

    Raises:
        MigrationError: Whoever logs in may not; the message says what to do.

    """
    found = session.fetch("select rolsuper or rolbypassrls from pg_roles where rolname = %s", role)
    if found == [(True,)]:
        raise MigrationError(
            f"row policies bind neither the role that logs in nor {role}, the role to work as: "
            f"alter role {role} nosuperuser nobypassrls"
        )
    try:
        if not found:
            _make(session, role)
        _enter(session, role)
        for statement in lacks(session, role):
            session.send(statement)
    except psycopg2.Error as error:
        if session.lost:
            raise
        raise _refused(session, role, str(error).strip()) from error
    except DatabaseError as error:
        raise _refused(session, role, error.detail) from error


def _refused(session: Session, role: str, reason: str) -> MigrationError:
    login = session.raw.info.user
    return MigrationError(
        f"row policies do not bind the role {login}, which logs in, and it cannot work as {role} "
        f"({reason}). Log in as an ordinary role that owns the database, or let a superuser run: "
        f"create role {role}; grant {role} to {login}"
    )


def _make(session: Session, role: str) -> None:
    try:
        session.command("create role {} nologin", Name(role))
    except DatabaseError:
        # Another service of the same server may have made it just now.
        if not session.fetch("select 1 from pg_roles where rolname = %s", role):
            raise


def _enter(session: Session, role: str) -> None:
    """See that whoever logs in can work as the role; a superuser always can."""
    try:
        session.send(f"begin; set local role {role}; rollback")
    except psycopg2.Error as error:
        if error.pgcode != errorcodes.INSUFFICIENT_PRIVILEGE:
            raise
        session.send("rollback")
        session.command("grant {} to {}", Name(role), Name(session.raw.info.user))
        session.send(f"begin; set local role {role}; rollback")
