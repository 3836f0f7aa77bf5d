"""The bytes of a file as lines, or as one document of JSON, within limits that a decoder states."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from energia.convert.repeats import has_repeats
from energia.convert.scalars import Unfit
from energia.errors import Malformed
from energia.time import Instant, instant_of

#: What some programs put before UTF-8.
BOM: Final = b"\xef\xbb\xbf"
_JSON: Final = msgspec.json.Decoder(float_hook=Decimal)


def file_lines(chunks: Iterable[bytes], longest: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file with their numbers, from 1 on, and their ends.

    A byte-order mark is left out; an end that is missing after the last line stays so.

    Raises:
        Malformed: A line has more than *longest* bytes: no more are held than that and a chunk.

    """
    pending, number = b"", 0
    for chunk in chunks:
        *complete, pending = (pending + chunk).split(b"\n")
        for line in complete:
            number += 1
            yield number, _bounded(line, number, longest) + b"\n"
        _bounded(pending, number + 1, longest)
    if pending:
        yield number + 1, _bounded(pending, number + 1, longest)


def _bounded(line: bytes, number: int, longest: int) -> bytes:
    if len(line) > longest:
        raise Malformed(f"line {number} is longer than {longest} bytes")
    return line.removeprefix(BOM) if number == 1 else line


def json_document(
    chunks: Iterable[bytes], longest: int, too_long: str, repeated: str = "an object"
) -> object:
    """Return the JSON of a file, numbers with a fraction as Decimal.

    Args:
        chunks: The file.
        longest: How many bytes it may have.
        too_long: What is said of one that has more.
        repeated: What an object with a field that comes twice is called.

    Raises:
        Malformed: It is longer, or not JSON, or an object has a field more than once.

    """
    text = bytearray()
    for chunk in chunks:
        text += chunk
        if len(text) > longest:
            raise Malformed(too_long)
    data = bytes(text).removeprefix(BOM)
    try:
        document: object = _JSON.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not JSON: {str(error) or 'nested too deeply'}") from None
    if has_repeats(data, document):
        raise Malformed(f"{repeated} has a field more than once")
    return document


def stamp_instant(value: object, name: str) -> Instant:
    """Return the instant of an RFC 3339 time, the field *name*, in seconds; raises `Unfit`."""
    try:
        moment = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        message = f"{name}: {str(value)[:40]!r} is not an RFC 3339 time"
        raise Unfit("not_a_time", message) from None
    if moment.tzinfo is None:
        raise Unfit("naive_time", f"{name}: the time has no offset from UTC")
    if moment.microsecond:
        raise Unfit("off_grid", f"{name}: the time must be on a whole second")
    try:
        return instant_of(moment)
    except (OverflowError, ValueError):
        raise Unfit("out_of_range", f"{name}: the years are 1900 to 2199") from None
