"""The files that a command is given: as they are, compressed, in an archive, or standard input."""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast
from zipfile import BadZipFile, ZipFile

import attrs
import click

from energia.errors import EnergiaError, Malformed

if TYPE_CHECKING:
    from energia.metering.decoders import Decoder

_CHUNK: Final = 1024 * 1024
#: Standard input.
STDIN: Final = "-"
#: Errors for what cannot be inflated: damaged, cut off, encrypted or packed in another way.
_UNREADABLE: Final = (
    *(gzip.BadGzipFile, BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError),
)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error name the file that it is in: a command may be given several."""
    try:
        yield
    except EnergiaError as error:
        error.detail = f"{path}: {error.detail or error.title}"
        raise


@contextmanager
def progress(label: str, size: int) -> Iterator[Callable[[int], None]]:
    """Give what shows, on a terminal, how far something of a size has come."""
    if not sys.stderr.isatty():
        yield lambda position: None
        return
    with click.progressbar(length=size, label=label, file=sys.stderr) as bar:
        yield lambda position: bar.update(position - bar.pos)


@attrs.frozen
class Given:
    """A file that is read once.

    Attributes:
        name: What messages call it.
        opened: Opens it, and gives its chunks; at the end of the block it is closed.

    """

    name: str
    opened: Callable[[], AbstractContextManager[Iterator[bytes]]]


def given(path: Path, reads: "Callable[[bytes], bool]") -> Iterator[Given]:
    """Yield a file, or the files of an archive, each on its own.

    Args:
        path: Where it is; `-` is standard input, `.gz` is inflated.
        reads: Whether an archive that begins so is read as a whole by its format.

    """
    if path.suffix.lower() != ".zip" or reads(_head(path)):
        yield Given("standard input" if str(path) == STDIN else str(path), partial(_opened, path))
        return
    with _refusal(path), ZipFile(path) as archive:
        members = [one for one in archive.namelist() if not _is_hidden(one)]
    for member in members:
        yield Given(f"{path}:{member}", partial(_member, path, member))


def sniffed(decoders: "Sequence[Decoder]") -> "Callable[[bytes], bool]":
    """Return what tells whether one of some formats reads an archive as a whole."""
    from energia.contract import HasSniff

    able = [each for each in decoders if isinstance(each, HasSniff)]
    return lambda head: any(each.sniff(head) for each in able)


def _head(path: Path) -> bytes:
    from energia.metering.decoders import HEAD

    with path.open("rb") as file:
        return file.read(HEAD)


def _is_hidden(name: str) -> bool:
    from energia.metering.archives import is_hidden

    return is_hidden(name)


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[bytes]]:
    if str(path) == STDIN:
        yield _chunks(path, sys.stdin.buffer, lambda: None)
        return
    with path.open("rb") as raw, progress(path.name, path.stat().st_size) as seen:
        is_packed = path.suffix.lower() == ".gz"
        file = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if is_packed else raw)
        yield _chunks(path, file, lambda: seen(raw.tell()))


@contextmanager
def _member(path: Path, name: str) -> Iterator[Iterator[bytes]]:
    with _refusal(path), ZipFile(path) as archive, archive.open(name) as file:
        size = archive.getinfo(name).file_size
        with progress(name, size) as seen:
            yield _chunks(path, file, lambda: seen(file.tell()))


def _chunks(path: Path, file: IO[bytes], note: Callable[[], None]) -> Iterator[bytes]:
    while True:
        with _refusal(path):
            chunk = file.read(_CHUNK)
        note()
        if not chunk:
            return
        yield chunk


@contextmanager
def _refusal(path: Path) -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise Malformed(f"{path} cannot be inflated: {error}") from None
