"""The SQL of the core and of every plugin keeps a running service up: squawk reads all of it."""

import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from energia.db.migrate import Migration
from energia.db.queries import blocks
from energia.db.tenant import Tenant
from tests.imports import ROOT, SOURCES

SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"
FILES = sorted(path for root in SOURCES.values() for path in root.rglob("*.sql"))
MIGRATIONS = [path for path in FILES if path.parent.name == "migrations"]
QUERIES = [path for path in FILES if path not in MIGRATIONS]


def faults(sql: str) -> list[str]:
    """Return what squawk finds in a migration, run as our runner does, each as `line: rule`."""
    whole = "--assume-in-transaction"
    if Migration("own", 1, "it", sql).alone:
        whole = "--no-assume-in-transaction"
    command = [str(SQUAWK), "--config", str(ROOT / ".squawk.toml"), whole, "--reporter", "gcc"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    found = re.findall(r"^[^:]*:(\d+):\d+: \w+: ([\w-]+)", done.stdout, re.MULTILINE)
    assert bool(found) == bool(done.returncode), done
    return [f"{line}: {rule}" for line, rule in found]


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_migration_disturbs_a_running_service(path: Path) -> None:
    """Neither locks that last nor changes that break the release before."""
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: str(path.relative_to(ROOT)))
def test_statements_are_in_order(path: Path) -> None:
    """The statements that the service sends are read by squawk as well."""
    for name, sql in blocks(path.read_text(encoding="utf-8"), path.name).items():
        plain = re.sub(r"%(\(\w+\))?s", "$1", sql).replace("%%", "%")

        assert faults(plain) == [], name


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("create index a_x on a (x);", "require-concurrent-index-creation"),
        (
            "select 1; create index concurrently a_x on a (x);",
            "ban-concurrent-index-creation-in-transaction",
        ),
        ("-- no transaction\ncreate index concurrently a_x on a (x);", "prefer-robust-stmts"),
        ("alter table a drop column x;", "ban-drop-column"),
        ("alter table a rename column x to y;", "renaming-column"),
        ("alter table a rename to b;", "renaming-table"),
        ("drop table a;", "ban-drop-table"),
        ("alter table a alter column x type bigint;", "changing-column-type"),
        ("alter table a add column y int not null;", "adding-required-field"),
        ("alter table a alter column x set not null;", "adding-not-nullable-field"),
        ("alter table a add constraint c check (x > 0);", "constraint-missing-not-valid"),
        (
            "alter table a add constraint c foreign key (x) references b;",
            "adding-foreign-key-constraint",
        ),
        ("truncate table a cascade;", "ban-truncate-cascade"),
    ],
)
def test_what_disturbs_is_found(sql: str, rule: str) -> None:
    """The rules that matter are on."""
    assert rule in " ".join(faults(sql))


async def test_ids_that_grow_are_bigint(tenant: Tenant) -> None:
    """No counter of the data runs out; organizations are few."""
    counters = await tenant.fetch(
        str,
        "select table_name || ' ' || data_type from information_schema.columns"
        " where table_schema = 'public' and is_identity = 'YES' order by 1",
    )

    assert counters == [
        "audit bigint",
        "channel bigint",
        "deletion bigint",
        "import bigint",
        "organization integer",
        "procrastinate_workers bigint",
    ]
