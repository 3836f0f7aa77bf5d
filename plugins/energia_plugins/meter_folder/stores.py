"""Where files are: a folder of this machine, or whatever fsspec knows. All of it blocks."""

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

_BLOCK: Final = 256 * 1024
#: What stores call the version of a file, the best first.
_VERSIONS: Final = ("ETag", "etag", "mtime", "LastModified", "last_modified", "created")


class Store(Protocol):
    """Files by their names."""

    def versions(self) -> Mapping[str, str]:
        """Return the version of each file that is not empty: another one, once it has changed."""
        ...

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a file."""
        ...


class LocalStore:
    """A folder of this machine."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def versions(self) -> Mapping[str, str]:
        """Return the version of each file: its size, and when it was written last."""
        with os.scandir(self._path) as entries:
            found = {each.name: each.stat() for each in entries if each.is_file()}
        return {
            name: f"{one.st_size}-{one.st_mtime_ns}" for name, one in found.items() if one.st_size
        }

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a file."""
        with (self._path / name).open("rb") as file:
            while block := file.read(_BLOCK):
                yield block


class RemoteStore:
    """A folder that fsspec knows."""

    def __init__(self, url: str, storage: Mapping[str, str]) -> None:
        fsspec: Any = import_module("fsspec.core")  # an extra, and without types
        self._files, self._root = fsspec.url_to_fs(url, **storage)

    def versions(self) -> Mapping[str, str]:
        """Return the version of each file, by what its store says of it."""
        self._files.invalidate_cache()
        listed = self._files.ls(self._root, detail=True)
        files = [one for one in listed if one["type"] == "file" and one["size"]]
        return {one["name"].rpartition("/")[2]: _version(one) for one in files}

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a file."""
        with self._files.open(f"{self._root.rstrip('/')}/{name}", "rb") as file:
            while block := file.read(_BLOCK):
                yield block


def _version(entry: Mapping[str, Any]) -> str:
    stated = next((str(entry[name]) for name in _VERSIONS if entry.get(name)), "")
    return f"{entry['size']}-{stated}"
