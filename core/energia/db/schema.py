"""The numbered files that make up the schema: `0001_core.sql`, for each owner a folder of them."""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import attrs

from energia.errors import MigrationError

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
#: The first line of a file whose statements run one by one, outside a transaction.
_ALONE = "-- no transaction"

#: The core's own folder, by its owner; plugins add theirs after it.
CORE: Mapping[str, Traversable] = {"core": files("energia.db.migrations")}


@attrs.frozen
class Applied:
    """A file that was applied to a database; the code may not know it.

    Attributes:
        owner: Whose it is.
        number: Its place among the owner's.
        name: What it did.
        checksum: The checksum of its text.

    """

    owner: str
    number: int
    name: str
    checksum: str

    def __str__(self) -> str:
        return f"{self.owner} {self.number:04d}_{self.name}"


@attrs.frozen
class Migration:
    """One file.

    Attributes:
        owner: Whose it is: `core`, or a plugin's name.
        number: Its place among the owner's; never used twice.
        name: What it does.
        sql: Its text.

    """

    owner: str
    number: int
    name: str
    sql: str = attrs.field(repr=False)

    def __str__(self) -> str:
        return f"{self.owner} {self.number:04d}_{self.name}"

    @property
    def checksum(self) -> str:
        """The text's SHA-256: an applied file may not change any more."""
        return sha256(self.sql.encode()).hexdigest()

    @property
    def alone(self) -> bool:
        """Whether the statements run outside a transaction (`create index concurrently`)."""
        return self.sql.partition("\n")[0].strip() == _ALONE

    @property
    def statements(self) -> list[str]:
        """What is sent as one message each.

        Outside a transaction a message holds one statement, and `;` at the end of a line ends it.
        Such a statement must bear to be repeated, `create index concurrently if not exists`: the
        invalid index that an interrupted one leaves is dropped before.
        """
        if not self.alone:
            return [self.sql]
        lines = (line for line in self.sql.splitlines() if not line.lstrip().startswith("--"))
        parts = re.split(r";[ \t]*(?:\n|$)", "\n".join(lines))
        return [part.strip() for part in parts if part.strip()]


def read(folders: Mapping[str, Traversable]) -> list[Migration]:
    """Return the files of all owners, in the order of the owners and of the numbers.

    Raises:
        MigrationError: A file has no number, or two have the same.

    """
    return [migration for owner, folder in folders.items() for migration in _of(owner, folder)]


def _of(owner: str, folder: Traversable) -> Iterable[Migration]:
    found: dict[int, Migration] = {}
    for file in folder.iterdir():
        if not file.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise MigrationError(f"{owner} {file.name}: a file is named 0001_what_it_does.sql")
        number, name = int(match[1]), match[2]
        if number in found:
            raise MigrationError(f"{owner} {file.name}: {found[number]} has the number already")
        found[number] = Migration(owner, number, name, file.read_text(encoding="utf-8"))
    return [found[number] for number in sorted(found)]
