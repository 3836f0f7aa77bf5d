"""Statements about channels, where Citus spreads the tables of readings over nodes.

No registry has Citus, so these tests hold the form of the statements, which the parser of
PostgreSQL reads; `make rehearse-citus` runs them on a cluster.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pglast.parser import parse_sql_json

from energia.db.queries import load
from energia.db.shards import Shards, hashed, of_one_shard, tells_time
from energia.db.tenant import Tenant
from energia.time import Int64
from tests.record_queries import PACKAGES
from tests.rehearsals import citus

ROOT = Path(__file__).parents[3]
#: The tables of rows that belong to a channel: `docs/explanation/scale.md` distributes them.
TABLES = {
    *("publication", "reading_archive", "reading_day", "reading_day_history", "register_read"),
    "stretch",
}
#: Views of one of them alone, which are asked as it is; each with that table.
VIEWS = {"reading_day_archived": "reading_archive"}
RELATIONS = TABLES | set(VIEWS)
#: Statements that ask every shard, each with the reason; some, where channels are in many.
FAN_OUTS = {
    "slots_write": "one slot of each of many channels: all shards at once are five times as fast "
    "as one message after another to each",
}
#: Statements that find the same before and after they have written it, each with the reason.
ANY_ORDER = {"publications_put": "what is put is not later than what was sent"}
#: What a cluster never gets, each for a reason.
UNSENT = {
    "blocks_of_channel": "`blocks_now` is asked there, of one channel as of many",
    "meter_again": "it asks about days at hand, of which there are none in a cluster",
}
PLUGINS = ("energia_plugins.bill_webhook", "energia_plugins.metrics_prometheus")
#: 32 shards, as Citus makes them.
EVEN = Shards(tuple(-(2**31) + shard * 2**27 for shard in range(32)))


def statements() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each statement that touches a distributed table."""
    for package in (*PACKAGES, *PLUGINS):
        for name, sql in load(package).items():
            if name not in UNSENT and RELATIONS & set(re.findall(r"\w+", sql)):
                yield name, sql


def parsed(sql: str) -> Any:
    """Return the statements of a message as the parser of PostgreSQL sees them."""
    numbers: dict[str, int] = {}
    text = re.sub(
        r"%\((\w+)\)s|%s",
        lambda given: f"${numbers.setdefault(given[1] or str(given.start()), len(numbers) + 1)}",
        sql,
    )
    return json.loads(parse_sql_json(text.replace("%%", "%")))["stmts"]


def found(node: Any, kind: str, *, within: bool = True) -> Iterator[Any]:
    """Yield the nodes of a kind below *node*; without those of queries *within* it, if told so."""
    if isinstance(node, list):
        for one in node:
            yield from found(one, kind, within=within)
    elif isinstance(node, dict):
        for name, below in node.items():
            if name == kind:
                yield below
            if within or name not in QUERIES:
                yield from found(below, kind, within=within)


QUERIES = ("SelectStmt", "UpdateStmt", "DeleteStmt", "InsertStmt")


def levels(tree: Any) -> Iterator[tuple[str, Any]]:
    """Yield each query in a statement, those within others as well."""
    for kind in QUERIES:
        for query in found(tree, kind):
            yield kind, query


def tables(kind: str, query: Any) -> dict[str, str]:
    """Return the distributed tables that a query reads or changes itself, by what it calls them."""
    sources = [query.get("fromClause"), query.get("usingClause")]
    named = list(found(sources, "RangeVar", within=False))
    if kind in ("UpdateStmt", "DeleteStmt"):
        named.append(query["relation"])
    return {
        one.get("alias", {}).get("aliasname", one["relname"]): one["relname"]
        for one in named
        if one["relname"] in RELATIONS
    }


def conjuncts(condition: Any) -> Iterator[Any]:
    """Yield what a condition demands in any case."""
    match condition:
        case {"BoolExpr": {"boolop": "AND_EXPR", "args": several}}:
            for one in several:
                yield from conjuncts(one)
        case {"A_Expr": comparison}:
            yield comparison


def fixed(query: Any) -> set[str]:
    """Return what is called by the names whose `channel_id` is said by a parameter."""
    conditions = [
        query.get("whereClause"),
        *(join.get("quals") for join in found(query.get("fromClause"), "JoinExpr", within=False)),
    ]
    names = set()
    for condition in conditions:
        for comparison in conjuncts(condition):
            column = comparison.get("lexpr", {}).get("ColumnRef", {}).get("fields", [])
            words = [one["String"]["sval"] for one in column if "String" in one]
            if words[-1:] == ["channel_id"] and is_parameter(comparison["rexpr"]):
                names.add(words[0] if len(words) > 1 else "")
    return names


def is_parameter(node: Any) -> bool:
    """Tell whether an expression is a parameter, of whatever type."""
    match node:
        case {"ParamRef": _}:
            return True
        case {"TypeCast": {"arg": below}}:
            return is_parameter(below)
    return False


NAMED = dict(statements())


def sent(name: str) -> str:
    """Return a statement as a cluster gets it."""
    return NAMED[name] if name in FAN_OUTS else of_one_shard(NAMED[name])


@pytest.mark.parametrize("name", NAMED)
def test_each_table_of_a_statement_is_asked_for_its_channels(name: str) -> None:
    """Each query says by a parameter of which channels it wants rows, of each of its tables."""
    loose = []
    for kind, query in levels(parsed(sent(name))):
        by_name, said = tables(kind, query), fixed(query)
        alone = {""} if len(by_name) == 1 else set()
        loose += [alias for alias in by_name if not said & {alias, *alone}]

    assert bool(loose) == (name in FAN_OUTS), loose


@pytest.mark.parametrize("name", NAMED)
def test_no_statement_joins_them_to_others(name: str) -> None:
    """What a statement has to know of tables that are not distributed comes as parameters."""
    tree = parsed(NAMED[name])
    ctes = {one["ctename"] for one in found(tree, "CommonTableExpr")}
    named = {one["relname"] for one in found(tree, "RangeVar")}
    targets = {query["relation"]["relname"] for query in found(tree, "InsertStmt")}

    assert (named | targets) - ctes <= RELATIONS


@pytest.mark.parametrize("name", NAMED)
def test_no_node_is_asked_who_asks(name: str) -> None:
    """What is inserted of rows of a node is worked out there, where the session has no caller."""
    loose = [
        query
        for kind, query in levels(parsed(NAMED[name]))
        if kind == "InsertStmt" and read_by(query) and "current_setting" in called(query)
    ]

    assert loose == []


@pytest.mark.parametrize("name", NAMED)
def test_nothing_is_read_where_it_was_written_before(name: str) -> None:
    """A statement that inserts is done part by part in a cluster, each as of its own moment."""
    again: set[str] = set()
    for kind, query in levels(parsed(NAMED[name])):
        parts = [one["ctequery"] for one in found(query.get("withClause"), "CommonTableExpr")]
        written: set[str] = set()
        for part in (*parts, {kind: {**query, "withClause": None}}):
            again |= read_by(part) & written
            written |= changed(part)

    assert bool(again) == (name in ANY_ORDER), again


def read_by(node: Any) -> set[str]:
    """Return the distributed tables that a query reads, in whatever depth."""
    sources: list[Any] = []
    for kind in QUERIES:
        sources += [[one.get("fromClause"), one.get("usingClause")] for one in found(node, kind)]
    names = {one["relname"] for one in found(sources, "RangeVar")}
    return {VIEWS.get(name, name) for name in names & RELATIONS}


def changed(node: Any) -> set[str]:
    """Return the tables whose rows a query changes or deletes, or adds rows to."""
    kinds = set(QUERIES) - {"SelectStmt"}
    return {one["relation"]["relname"] for kind in kinds for one in found(node, kind)}


def called(node: Any) -> set[str]:
    """Return the names of the functions that a query calls."""
    return {part["String"]["sval"] for one in found(node, "FuncCall") for part in one["funcname"]}


def test_statements_are_found() -> None:
    """The statements that read and write blocks are among those that are looked at."""
    assert {"blocks_read", "blocks_write", "slots_write", "blocks_revised", "newest"} <= set(NAMED)


def test_sql_of_these_tables_is_in_files_alone() -> None:
    """No statement escapes: none is written where the parser would not see it."""
    words = re.compile(rf"\b(?:from|join|into|update|using)\s+(?:{'|'.join(RELATIONS)})\b")
    sources = [*ROOT.glob("core/energia/**/*.py"), *ROOT.glob("plugins/energia_plugins/**/*.py")]

    assert [str(path) for path in sources if words.search(path.read_text())] == []


def test_the_rehearsal_runs_what_is_there() -> None:
    """The folders and files that it names are there, and so are the tests that it leaves out."""
    sources = [path for each in citus.TESTS for path in (ROOT / each).rglob("*.py")]
    sources += [ROOT / each for each in citus.TESTS if each.endswith(".py")]
    text = "\n".join([f"{path}\n{path.read_text()}" for path in sources])
    names = [*citus.OF_ONE_SERVER, *citus.LAWS]

    assert [each for each in citus.TESTS if not (ROOT / each).exists()] == []
    assert [one for one in names if not re.search(rf"\b{one}\b", text)] == []


async def test_their_keys_begin_with_the_channel(tenant: Tenant) -> None:
    """Citus distributes a table whose every unique key has the channel, and no foreign key."""
    loose = await tenant.fetch(
        str,
        """with t as (select unnest(%s::text[])::regclass as distributed)
        select i.indexrelid::regclass::text
        from pg_index i join t on i.indrelid = t.distributed
        where i.indisunique and pg_get_indexdef(i.indexrelid, 1, true) <> 'channel_id'
        union all
        select c.conname::text
        from pg_constraint c join t on t.distributed in (c.conrelid, c.confrelid)
        where c.contype = 'f'""",
        sorted(TABLES),
    )

    assert loose == []


async def test_channels_are_hashed_as_by_the_server(tenant: Tenant) -> None:
    """A channel is looked for in the shard in which Citus puts it."""
    keys: Int64 = np.array([0, 1, 2, -1, 2**31, 2**33 + 7, -(2**40), 2**63 - 1], np.int64)

    expected = await tenant.fetch(
        int, "select hashint8(key) from unnest(%s::bigint[]) as key", keys.tolist()
    )

    assert hashed(keys).tolist() == expected


def test_channels_of_a_shard_come_together() -> None:
    """Each channel is in one part, with the others of its shard; hash 1 is below that of 2."""
    parts = EVEN.parts([1, 2, 3, 1, 2])

    assert sorted(index for part in parts for index in part) == [0, 1, 2, 3, 4]
    assert [0, 3] in parts
    assert [1, 4] in parts


def test_without_channels_there_is_one_part() -> None:
    """A statement that gives a row without any channel gives it on a cluster, too."""
    assert EVEN.parts([]) == [[]]


def test_the_time_is_told() -> None:
    """Nodes have clocks of their own: a statement of one shard is told what time it is."""
    sql = "select clock_timestamp() from stretch s join asked on s.channel_id = asked.channel"

    assert tells_time(sql)
    assert of_one_shard(sql) == (
        "select %(clock)s::timestamptz from stretch s join asked on s.channel_id = asked.channel"
        " and s.channel_id = any(%(shard)s::bigint[])"
    )
