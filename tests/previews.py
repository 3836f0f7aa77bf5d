"""A server for previews: a role that makes their databases and owns nothing else."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import attrs
import psycopg2
import pytest

from energia.db.embedded import ADMIN, Embedded
from energia.previews.cluster import Cluster
from energia.settings import Preview

#: The role: LOGIN and CREATEDB, no superuser, no owner of production's database.
ROLE = "preview_admin"


@attrs.frozen
class PreviewServer:
    """An embedded server that has the role."""

    embedded: Embedded

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database for the role."""
        return self.embedded.dsn(ROLE, database)

    def cluster(self, **rules: Any) -> Cluster:
        """Return the previews of the server."""
        return Cluster(self.url(), Preview(**rules))

    def run(self, sql: str, database: str = "postgres", role: str = ROLE) -> list[tuple[Any, ...]]:
        """Run a statement as a role and return its rows."""
        with closing(psycopg2.connect(self.embedded.dsn(role, database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []

    def code(self, sql: str, database: str = "postgres") -> str | None:
        """Return the code by which the server refuses a statement of the role."""
        with pytest.raises(psycopg2.Error) as caught:
            self.run(sql, database)
        return caught.value.pgcode

    @contextmanager
    def session(self, database: str) -> Iterator[None]:
        """Hold a connection to a database."""
        with closing(psycopg2.connect(self.url(database))):
            yield

    def databases(self) -> list[str]:
        """Return the databases of previews."""
        rows = self.run(
            "select datname from pg_database where datname ~ '^app_pr_' order by length(datname), 1"
        )
        return [name for (name,) in rows]

    def age(self, pr: int, **seconds: int) -> None:
        """Make an instant of a preview's comment older by so many seconds."""
        for name, by in seconds.items():
            self.run(_OLDER.format(pr=pr, name=name, by=by))

    def clear(self) -> None:
        """Drop all of them, whosever they are."""
        for name in self.databases():
            self.run(f'alter database "{name}" is_template false', role=ADMIN)
            self.run(f'drop database "{name}" with (force)', role=ADMIN)


_OLDER = """do $$
declare was jsonb := shobj_description(oid, 'pg_database')
  from pg_database where datname = 'app_pr_{pr}';
begin
  execute format('comment on database app_pr_{pr} is %L', jsonb_set(was, '{{{name}}}',
    to_jsonb(((was ->> '{name}')::timestamptz - interval '{by} s')::text)));
end $$"""


def of(embedded: Embedded) -> PreviewServer:
    """Return *embedded* with the role."""
    server = PreviewServer(embedded)
    if not server.run(f"select 1 from pg_roles where rolname = '{ROLE}'", role=ADMIN):
        server.run(f"create role {ROLE} login createdb", role=ADMIN)
    return server
