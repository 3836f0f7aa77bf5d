"""SQL in files: named blocks, next to the code that uses them.

A block is a line `-- name: site_get`, comment lines that say what it does, and one statement::

    -- name: site_get
    -- One site, by its id.
    select id, name from site where organization_id = %s and id = %s
"""

import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import count
from types import MappingProxyType
from typing import Self

_FILE = "queries.sql"
_HEAD = re.compile(r"--\s*name:\s*(.*)")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
#: Where a parameter of a statement is, by its position or by its name.
_PLACE = re.compile(r"%s|%\((\w+)\)s|%%")


class Prepared(str):
    """A statement that each connection lets the server prepare, so that it is planned only once.

    It is for what requests ask for again and again by a key, where to plan takes longer than to
    find the rows: as long as these are found by that key, whatever it is and however many others
    there are. The server plans it anew once it has analyzed a table. It is a text as any other
    within a transaction, and where the server keeps nothing for a session (behind a pooler): so it
    says itself, by a cast, what could not be told without the types.

    Attributes:
        name: What the server knows it by; another statement has another name.
        definition: The statement that prepares it, without parameters.
        call: The statement that runs it, which takes the parameters.

    Example:
        _SITE = Prepared(SQL["site_get"], "text")
        _DAYS = Prepared(SQL["days"], channel="bigint", day="date")

    """

    __slots__ = ("call", "definition", "name")

    name: str
    definition: str
    call: str

    def __new__(cls, sql: str, *types: str, **named: str) -> Self:
        """Take a statement, and the types of its parameters: by position, or by name.

        Raises:
            ValueError: There are not as many types as parameters.

        """
        self = super().__new__(cls, sql)
        numbers = {name: number for number, name in enumerate(named, 1)}
        positions = count(1)

        def place(found: re.Match[str]) -> str:
            if found[0] == "%%":
                return "%"
            return f"${numbers[found[1]] if found[1] else next(positions)}"

        body, stated = _PLACE.sub(place, sql), [*types, *named.values()]
        parameters = len(named) or next(positions) - 1
        if parameters != len(stated) or not stated:
            raise ValueError(f"{parameters} parameters have {len(stated)} types")
        signature = f"({', '.join(stated)}) as {body}"
        self.name = f"energia_{sha256(signature.encode()).hexdigest()[:16]}"
        self.definition = f"prepare {self.name} {signature}"
        places = [f"%({name})s" for name in named] or ["%s"] * parameters
        self.call = f"execute {self.name} ({', '.join(places)})"
        return self


class Literal:
    """A parameter whose text has neither a quote nor a backslash, such as an array of numbers.

    It goes into the message as it is. The driver would copy it, and look at each character, three
    times: of a year of readings that takes longer than to write them down.
    """

    def __init__(self, text: str) -> None:
        """Take the *text*; raises `ValueError` if it would have to be escaped."""
        if "'" in text or "\\" in text or "\0" in text:
            raise ValueError("the text has to be escaped")
        self._text = text

    def __conform__(self, _protocol: object) -> "Literal":
        """Return what the driver asks for: itself, which has `getquoted`."""
        return self

    def getquoted(self) -> bytes:
        """Return the literal of SQL."""
        return f"'{self._text}'".encode()


@cache  # many modules of a package have its statements
def load(package: str) -> Mapping[str, str]:
    """Return the statements of a package's `queries.sql`, by name.

    Raises:
        ValueError: The file is not made of named blocks; the message names file and line.

    """
    text = files(package).joinpath(_FILE).read_text(encoding="utf-8")
    return MappingProxyType(blocks(text, f"{package}/{_FILE}"))


def one_message(*statements: str) -> str:
    """Return *statements* as one message, which takes named parameters and gives the last's rows.

    Each sees what those before it may have waited for, as messages of their own would, and there
    is one way to the database and back: a lock, and then what it holds.
    """
    return ";\n".join(statements)


def blocks(text: str, source: str) -> dict[str, str]:
    """Parse named blocks; `source` is what errors call the text.

    Raises:
        ValueError: A block has no name, no statement, or the name of another one.

    """
    statements: dict[str, list[str]] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        if head := _HEAD.fullmatch(line.strip()):
            name = head[1]
            if not _NAME.fullmatch(name):
                raise ValueError(f"{source}:{number}: {name!r} is not a name")
            if name in statements:
                raise ValueError(f"{source}:{number}: there is a block {name} already")
            statements[name] = []
        elif line.strip() and not line.lstrip().startswith("--"):
            if not name:
                raise ValueError(f"{source}:{number}: a statement without a `-- name:` line")
            statements[name].append(line.rstrip())
    for empty in (name for name, lines in statements.items() if not lines):
        raise ValueError(f"{source}: the block {empty} has no statement")
    return {name: "\n".join(lines).removesuffix(";") for name, lines in statements.items()}
