"""Rows as a file, CSV or NDJSON, sent while they are made.

A handler names what it can give in `produces=FILES`, learns what the client wants by a parameter of
the type `Accepted`, and returns `Rows` where that is not JSON:

    @routes.get("/v1/things", produces=FILES)
    async def list_things(tenant: Tenant, accepted: Accepted) -> Things | Rows:
        if accepted != JSON:
            return Rows(("start", "value"), _batches(tenant))
        ...

    async def _batches(tenant: Tenant) -> AsyncGenerator[Batch, None]:
        async for piece in things_in_pieces(tenant):
            yield [piece.starts, Numbers(piece.values)]

What the handler and the first batch raise is an ordinary problem document. An error after that cuts
the connection off before the end of the message, so that no client takes a part for the whole.
"""

import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from itertools import islice
from typing import Final, Self, TypeAlias

import attrs
import msgspec
import numpy as np
import numpy.typing as npt
import structlog
from aiohttp import web

from energia.errors import EnergiaError
from energia.metering.series import MISSING, Micro
from energia.pricing.digits import shortest_texts
from energia.time import Int64, Zone
from energia.units import MICRO, decimal_text
from energia.web import bodies
from energia.web.bodies import CSV, JSON, NDJSON, Accepted
from energia.work import off_loop

__all__ = ["CSV", "FILES", "JSON", "NDJSON", "Accepted", "Batch", "Cell", "Numbers", "Rows"]

#: What a route gives that may answer with rows too.
FILES: Final = (JSON, CSV, NDJSON)
#: How many rows a batch should have: some hundred kilobytes.
ROWS: Final = 8192

#: What is in one column of one row.
Cell: TypeAlias = str | int | None
#: Some rows, column by column: all columns are of one length, at best of about `ROWS`.
Batch: TypeAlias = Sequence[Sequence[Cell]]

log = structlog.get_logger(__name__)


class Numbers(list[str | None]):
    """A column of decimal texts, such as `0.412`, that are numbers in JSON."""


@attrs.frozen(eq=False)
class Rows:
    """The rows of a file.

    Attributes:
        columns: Their names: the header of a CSV file, the members of NDJSON objects.
        batches: The rows; closed when the answer is over, however it ends.

    """

    columns: Sequence[str]
    batches: AsyncGenerator[Batch, None]

    @classmethod
    def listed(cls, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Self:
        """Return rows that are at hand, each a cell for each of *columns*."""
        return cls(columns, _transposed(rows))


async def _transposed(rows: Iterable[Sequence[Cell]]) -> AsyncGenerator[Batch, None]:
    left = iter(rows)

    def columns() -> Batch:
        return list(zip(*islice(left, ROWS), strict=True))

    while batch := await off_loop(columns):
        yield batch


async def respond(request: web.Request, rows: Rows, accepted: Accepted) -> web.StreamResponse:
    """Answer with *rows* as a file of the type *accepted*; raises what the first batch raises."""
    file = text_file(accepted, rows.columns)
    async with aclosing(rows.batches) as batches:
        first = await anext(batches, None)
        # Before the answer begins: it may yet be refused where all threads are busy.
        begin = file.begin + (b"" if first is None else await off_loop(file.text, first))
        response = _response(request, accepted)
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        try:
            await response.write(begin)
            async for batch in batches:
                await _send(response, file, batch)
            await response.write_eof()
        except Exception as error:
            _cut(request, error)
    return response


async def _send(response: web.StreamResponse, file: "TextFile", batch: Batch) -> None:
    # In a thread, so that others are served between the batches.
    await response.write(await off_loop(file.text, batch))


def _response(request: web.Request, accepted: Accepted) -> web.StreamResponse:
    charset = "; charset=utf-8" if accepted == CSV else ""
    response = web.StreamResponse(
        headers={"Content-Type": accepted + charset, "Vary": "Accept, Accept-Encoding"}
    )
    if bodies.accepts_gzip(request):
        if request.method == "HEAD":  # a compressor would send the end of its empty output
            response.headers["Content-Encoding"] = web.ContentCoding.gzip.value
        else:
            response.enable_compression(web.ContentCoding.gzip)
    return response


def _cut(request: web.Request, error: Exception) -> None:
    """Close the connection of an answer that cannot be ended, and say why in the log."""
    if isinstance(error, EnergiaError):
        log.warning("cut", code=error.code, detail=error.detail)
    elif not isinstance(error, ConnectionError):  # the client is gone
        log.error("cut", exc_info=error)
    if request.transport is not None:
        request.transport.abort()


class TextFile:
    """Writes rows of some columns as text.

    Attributes:
        begin: What comes before the rows.

    """

    begin: bytes

    def text(self, batch: Batch) -> bytes:
        """Return the text of some rows."""
        raise NotImplementedError


class _Csv(TextFile):
    """Comma-separated values with a header line."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.begin = self.text([[name] for name in columns])

    def text(self, batch: Batch) -> bytes:
        """Return the text of some rows; null is empty."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(zip(*batch, strict=True))
        return text.getvalue().encode()


class _Ndjson(TextFile):
    """A JSON object on each line."""

    begin = b""

    def __init__(self, columns: Sequence[str]) -> None:
        names = (msgspec.json.encode(name).replace(b"%", b"%%") for name in columns)
        self._row = b"{%b}\n" % b",".join(name + b":%b" for name in names)

    def text(self, batch: Batch) -> bytes:
        """Return the text of some rows."""
        cells = [_json(column) for column in batch]
        return b"".join(map(self._row.__mod__, zip(*cells, strict=True)))


def _json(column: Sequence[Cell]) -> Iterator[bytes] | list[bytes]:
    """Return the JSON of each cell of *column*."""
    if isinstance(column, Numbers):
        return (b"null" if text is None else text.encode() for text in column)
    # One call for all: no JSON text has a line break.
    return msgspec.json.Encoder().encode_lines(column).splitlines()


_FILES: Final[dict[str, Callable[[Sequence[str]], TextFile]]] = {CSV: _Csv, NDJSON: _Ndjson}


def text_file(media_type: str, columns: Sequence[str]) -> TextFile:
    """Return what writes rows of some columns as CSV or NDJSON."""
    return _FILES[media_type](columns)


# Columns of many rows at once: instants and quantities as text.


def stamps(zone: Zone, instants: Int64) -> list[str]:
    """Return the local time of each instant (seconds, UTC) with its offset (RFC 3339)."""
    local = zone.local(instants)
    texts: list[str] = np.datetime_as_string(local.astype("datetime64[s]")).tolist()
    # Few offsets occur: the text of each is made once.
    offsets, examples, which = np.unique(local - instants, return_index=True, return_inverse=True)
    endings = [zone.text(instant)[len("2026-03-01T00:00:00") :] for instant in instants[examples]]
    if len(offsets) == 1:
        return [text + endings[0] for text in texts]
    return [text + endings[offset] for text, offset in zip(texts, which.tolist(), strict=True)]


def _table(texts: Iterable[str]) -> npt.NDArray[np.uint32]:
    """Return texts of at most four characters as items of four bytes, of which zeros are none."""
    return np.array([text.encode() for text in texts], "S4").view(np.uint32)


# The digits of numbers, three at a time, and what follows them.
_SIGN: Final = _table(("", "-"))
#: The last three digits of a whole part, and the point: alone, and after others.
_WHOLE: Final = _table((*(f"{n}." for n in range(1000)), *(f"{n:03}." for n in range(1000))))
#: The digits before these, where there are any.
_THOUSANDS: Final = _table(("", *map(str, range(1, 1000))))
#: The first three decimals: all there is, of which one stays, or with others behind them.
_DECIMALS: Final = _table(
    (*(f"{n:03}".rstrip("0") or "0" for n in range(1000)), *(f"{n:03}" for n in range(1000)))
)
_MORE_DECIMALS: Final = _table(f"{n:03}".rstrip("0") for n in range(1000))
#: Behind the decimals, which are three at most; and instead of all.
_COMMA, _NULL = (int(_table((text,))[0]) for text in ("\0\0\0,", "null"))
#: Up to here a number has six digits before its point; from there on it has no exponent.
_LARGEST, _SMALLEST = 10**6 * MICRO, 10
#: Below this, with 15 digits at most, the shortest text of the nearest float is that of the number
#: itself: no other one of so few digits is as near.
_FLOAT: Final = 10**15


_Sizes: TypeAlias = npt.NDArray[np.uint32 | np.int64]


def numbers(values: Micro) -> msgspec.Raw:
    """Return micro-units as an array of JSON numbers, as `json` writes floats; null if missing.

    The shortest text of each is exact. It is put together from tables of digits: to make a float
    of each number, and text of that, takes three times as long.
    """
    least = values.min(initial=0)
    absent = values == MISSING if least == MISSING else None
    present = values if absent is None else np.where(absent, 0, values)
    sizes: _Sizes = present if least >= 0 else np.abs(present)
    largest = sizes.max(initial=0)
    if largest < 2**32:
        sizes = sizes.astype(np.uint32)  # of which twice as many are divided at once
    if largest >= _LARGEST or not len(sizes) or ((sizes < _SMALLEST) & (sizes > 0)).any():
        floats = np.where(values == MISSING, np.nan, values / MICRO)
        return msgspec.Raw(msgspec.json.encode(floats.tolist()))
    thousandths, rest = _thousands(sizes)
    whole, decimals = _thousands(thousandths)
    columns: list[npt.NDArray[np.uint32]] = []
    if least < 0 and (is_negative := present < 0).any():
        columns.append(_SIGN.take(is_negative))
    if largest >= 1000 * MICRO:
        thousands, whole = _thousands(whole)
        columns.append(_THOUSANDS.take(thousands))
        whole = whole + 1000 * (thousands > 0)
    columns.append(_WHOLE.take(whole))
    if rest.any():
        columns += [_DECIMALS.take(decimals + 1000 * (rest > 0)), _MORE_DECIMALS.take(rest)]
    else:
        columns.append(_DECIMALS.take(decimals))
    parts = np.stack(columns, axis=1)
    if absent is not None:
        parts[absent] = (_NULL, *[0] * (parts.shape[1] - 1))
    parts[:, -1] |= _COMMA
    text = parts.tobytes().translate(None, b"\0")
    return msgspec.Raw(b"[" + text[:-1] + b"]")


def _thousands(sizes: _Sizes) -> tuple[_Sizes, _Sizes]:
    """Return how many thousands there are in each number, and the rest: faster than `divmod`."""
    thousands: _Sizes = sizes // sizes.dtype.type(1000)
    return thousands, sizes - thousands * sizes.dtype.type(1000)


def quantities(values: Micro) -> Numbers:
    """Return each number of micro-units as the shortest decimal that is exact; None if missing."""
    absent = values == MISSING
    texts = Numbers(decimals(np.where(absent, 0, values)))
    for index in np.flatnonzero(absent).tolist():
        texts[index] = None
    return texts


def decimals(values: Micro | Sequence[int]) -> list[str]:
    """Return the text of each number of micro-units, none of which is missing."""
    try:
        each = np.asarray(values, np.int64)
    except OverflowError:  # maybe too many digits for 64 bits
        return [decimal_text(int(value)) for value in values]
    if not len(each):
        return []
    least, most = int(each.min()), int(each.max())
    if max(most, -least) < _FLOAT and (least >= _SMALLEST or not _any_tiny(each)):
        text = msgspec.json.encode((each / MICRO).tolist())[1:-1].decode()
        return f"{text},".replace(".0,", ",")[:-1].split(",")
    try:
        return shortest_texts(each, 6)
    except OverflowError:
        return [decimal_text(value) for value in each.tolist()]


def _any_tiny(values: Micro) -> bool:
    """Tell whether there is a number that is written with an exponent."""
    return bool(((values > -_SMALLEST) & (values < _SMALLEST) & (values != 0)).any())
