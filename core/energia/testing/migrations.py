"""Checks of a plugin's migrations, by their text: what they do to who runs beside them."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from energia.db.migrate import Migration
from energia.testing.outcome import Failed, Outcome, outcome_of

_ALTER: Final = r"alter\s+table\b.*"
#: What the release before could not bear, which still runs while a new one is deployed.
_CONTRACTS: Final = {
    "drop column": _ALTER + r"\bdrop\s+column\b",
    "drop table": r"drop\s+table\b",
    "drop view": r"drop\s+(?:materialized\s+)?view\b",
    "rename": _ALTER + r"\brename\b",
    "alter column type": _ALTER + r"\balter\s+(?:column\s+)?\S+\s+(?:set\s+data\s+)?type\b",
    "set not null": _ALTER + r"\bset\s+not\s+null\b",
    "add column not null": _ALTER + r"\badd\s+(?!constraint\b|.*\bdefault\b).*\bnot\s+null\b",
    "truncate": r"truncate\b",
}
_EXCUSE: Final = "squawk-ignore"
_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_CREATED: Final = re.compile(
    r"create\s+table\s+(?:if\s+not\s+exists\s+)?([\w.\"]+)\s*\(([^;]*)", re.IGNORECASE
)
_BOUND: Final = re.compile(r"energia_row_security\(\s*'([^']+)'", re.IGNORECASE)


def of_migrations(owner: str, files: Sequence[Migration]) -> Iterator[Outcome]:
    """Yield the outcome of each check of a plugin's files."""
    for check in (_only_expand, _rows_of_one_organization):
        yield outcome_of(f"migrations of {owner}", check, files)


def _only_expand(files: Sequence[Migration]) -> None:
    """Refuse what takes away from the release before, unless a comment says why it is well."""
    for file in files:
        own = [name for name, _ in _tables(file)]
        for line, statement in _statements(file.sql):
            what = _contracts(statement)
            if what and not any(name in statement for name in own):
                raise Failed(
                    f"{_called(file)}, line {line}: `{what}` breaks the release before, which runs "
                    f"on: expand first, or say `-- {_EXCUSE}` and why above it"
                )


def _rows_of_one_organization(files: Sequence[Migration]) -> None:
    """Refuse a table with the key of an organization that is not bound to it."""
    bound = {name for file in files for name in _BOUND.findall(file.sql)}
    for file in files:
        for name, columns in _tables(file):
            if re.search(r"\borganization_id\b", columns) and name not in bound:
                raise Failed(
                    f"{_called(file)}: a statement that forgets the organization sees the rows of "
                    f"all in {name}: call energia_row_security('{name}')"
                )


def _called(file: Migration) -> str:
    return f"{file.number:04d}_{file.name}"


def _contracts(statement: str) -> str | None:
    """Return what a statement does that the release before could not bear."""
    flags = re.IGNORECASE | re.DOTALL
    return next((what for what, how in _CONTRACTS.items() if re.match(how, statement, flags)), None)


def _tables(file: Migration) -> list[tuple[str, str]]:
    """Return the tables that a file makes, each with the text of its columns."""
    return _CREATED.findall(_COMMENT.sub("", file.sql))


def _statements(sql: str) -> Iterator[tuple[int, str]]:
    """Yield the statements that no comment excuses, each with its line, from 1 on."""
    bare = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), sql)
    for found in re.finditer(r"[^;]+", bare):
        text, start = found[0].strip(), found.start()
        if text and _EXCUSE not in sql[start : found.end()]:
            yield bare.count("\n", 0, bare.index(text, start)) + 1, text
