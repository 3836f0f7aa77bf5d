"""Files that come in a zip archive, as utilities send them: read within limits.

A zip has its table of contents at its end, so all of it is held, which is why it may be small only.
What it inflates to is read in pieces, and counted: a bomb is refused before it has grown.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import chain
from typing import IO, Final
from zipfile import BadZipFile, ZipFile

from energia.errors import Malformed, TooLarge
from energia.spending import BYTES, spend

#: The most bytes of an archive itself: data providers in Australia send at most one megabyte.
MOST: Final = 32 * 1024**2
#: The most files in it.
MOST_FILES: Final = 1000
#: The most bytes that all of its files have together.
MOST_INFLATED: Final = 1024**3
#: From so many bytes on, a file may have at most `RATIO` for each byte of the archive.
RATIO_FROM: Final = 16 * 1024**2
RATIO: Final = 200
_STEP: Final = 64 * 1024
_MAGIC: Final = b"PK\x03\x04"
#: Errors of `zipfile` for what it cannot read: damaged, encrypted, or packed in another way.
_UNREADABLE: Final = (
    *(BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError),
    *(OSError, struct.error, LookupError),
)


def archive_files(chunks: Iterable[bytes]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Yield the files of a zip archive, each with its name; what is no archive is one file, "".

    Each file is read to its end before the next one is asked for.

    Raises:
        Malformed: The archive is damaged, encrypted or packed in a way that is not read.
        TooLarge: It, or what it inflates to, is over a limit.

    """
    rest = iter(chunks)
    head = b""
    while len(head) < len(_MAGIC) and (chunk := next(rest, None)) is not None:
        head += chunk
    if not head.startswith(_MAGIC):
        yield "", chain([head], rest)
        return
    held = _held(chain([head], rest))
    with _refusal(), ZipFile(held) as archive:
        yield from _files(archive)


def archive_head(head: bytes) -> bytes:
    """Return the first bytes of a file: of an archive, those of the first file in it."""
    if not head.startswith(_MAGIC) or len(head) < 30:
        return head
    name, extra = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
    packed = head[30 + name + extra :]
    if int.from_bytes(head[8:10], "little") == 0:
        return packed
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, len(head))
    except zlib.error:
        return b""


def _held(chunks: Iterable[bytes]) -> IO[bytes]:
    held = BytesIO()
    for chunk in chunks:
        held.write(chunk)
        if held.tell() > MOST:
            raise TooLarge(f"a zip archive may have {MOST} bytes at most")
    return held


@contextmanager
def _refusal() -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise Malformed(f"the zip archive cannot be read: {error}") from None


def _files(archive: ZipFile) -> Iterator[tuple[str, Iterable[bytes]]]:
    members = [member for member in archive.infolist() if not is_hidden(member.filename)]
    if len(members) > MOST_FILES:
        raise TooLarge(f"a zip archive may have {MOST_FILES} files at most")
    inflated = 0

    def pieces(file: IO[bytes], packed: int) -> Iterator[bytes]:
        nonlocal inflated
        size = 0
        while piece := _piece(file):
            size += len(piece)
            inflated += len(piece)
            _refuse_bomb(inflated, size, packed)
            yield piece

    for member in members:
        with archive.open(member) as file:
            yield member.filename, pieces(file, member.compress_size)


def is_hidden(name: str) -> bool:
    """Whether a name is that of a folder, or of what systems add unasked (`__MACOSX/._a.csv`)."""
    return (
        name.endswith("/")
        or any(part[:1] == "." for part in name.split("/"))
        or (name.startswith("__MACOSX/"))
    )


def _piece(file: IO[bytes]) -> bytes:
    with _refusal():
        piece = file.read(_STEP)
    spend(len(piece) / BYTES)
    return piece


def _refuse_bomb(inflated: int, size: int, packed: int) -> None:
    """Refuse *inflated* bytes of all files, of which *size* are those of *packed* bytes."""
    if inflated > MOST_INFLATED:
        raise TooLarge(f"the zip archive inflates to more than {MOST_INFLATED} bytes")
    if size > RATIO_FROM and size > packed * RATIO:
        raise TooLarge(f"a file of the zip archive inflates to more than {RATIO} times its size")
