"""The files of the tables: those of the release, and others in place of them."""

import hashlib
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

import attrs

__all__ = ["File", "Folder", "names"]

FOLDER: Final = files(__package__) / "tables"


@attrs.frozen(kw_only=True)
class File:
    """A file of a table, as it was read.

    Attributes:
        name: `tarifas.csv`.
        origin: Where it is from: `energia` is the release, else a path or a URL.
        data: What it has.

    """

    name: str
    origin: str
    data: bytes = attrs.field(repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()


@attrs.frozen
class Folder:
    """Files of tables: ours, and others in place of those of the same names.

    Attributes:
        given: The others, by name.

    """

    given: Mapping[str, File] = attrs.Factory(dict)

    @classmethod
    def of(cls, path: str | None) -> "Folder":
        """Return ours, with what a folder has in place of it."""
        given = {}
        for own in (Path(path) / name for name in names()) if path else ():
            if own.is_file():
                given[own.name] = File(name=own.name, origin=f"{own}", data=own.read_bytes())
        return cls(given)

    @classmethod
    def ours(cls, name: str) -> File:
        """Return a file of the release."""
        return File(name=name, origin="energia", data=(FOLDER / name).read_bytes())

    def file(self, name: str) -> File:
        """Return the file of a name."""
        return self.given.get(name) or self.ours(name)

    @property
    def version(self) -> str:
        """What tells all of it, and the release, from others."""
        digests = [f"{name} {self.file(name).digest}" for name in names()]
        of_all = "\n".join([version("energia"), *digests])
        return hashlib.sha256(of_all.encode()).hexdigest()[:16]


@cache
def names() -> tuple[str, ...]:
    """Return the names of the files that there are."""
    return tuple(
        sorted(file.name for file in FOLDER.iterdir() if file.name.endswith((".csv", ".json")))
    )
