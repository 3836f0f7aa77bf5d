"""Checks of formats of meter files: whatever comes in, readings or problems come out, in bounds."""

import io
import re
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from itertools import chain
from random import Random
from typing import Final

import attrs

from energia.contract import HasExamples, HasPresets, HasSniff
from energia.convert import TEXT
from energia.errors import EnergiaError, Invalid
from energia.metering.decoders import HEAD, Decoder, Item, MeterRead, Problem, Reading, Run
from energia.metering.mappings import presets
from energia.metering.series import QUALITIES
from energia.testing.outcome import Failed, Outcome, Skipped, outcome_of, refuse_failed
from energia.testing.usage import CLOCK_CHANGES

#: So many damaged copies of each example of a file are read.
_DAMAGED: Final = 300
#: So many cuts of an example are tried, in two or off.
_CUTS: Final = 200
#: Sizes of the pieces in which an example comes, besides whole and byte by byte.
_SIZES: Final = (2, 3, 7, 64)
#: The most that may be held of a file, however long it is; formats of whole documents hold tens.
_MEMORY: Final = 64 * 1024**2
#: What never ends has so many bytes.
_ENDLESS: Final = 2 * _MEMORY
_PIECE: Final = 1024**2
_FILES: Final = (b"", b"\n", b"\x00", b"\xff\xfe\x00", b"\xef\xbb\xbf", b"{", b"a,b\n1,2\n", b'"')
#: What opens, again and again, and is never closed.
_NESTED: Final = (b"[", b"{", b'{"a":', b"<a>", b"(")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]*")
#: A date, with or without dashes, and the hour after it, if there is one.
_DATE: Final = re.compile(
    rb"(?<![0-9])(20[0-9]{2})(-?)(0[1-9]|1[0-2])\2(0[1-9]|[12][0-9]|3[01])(?:([T ]?)([0-9]{2}))?"
)


def check_decoder(decoder: Decoder, *, without: Sequence[str] = ()) -> None:
    """Assert that a format conforms.

    Args:
        decoder: The decoder; its plugin need not be installed.
        without: Names of checks that are left out.

    Raises:
        Failed: An AssertionError that names every check that failed.

    """
    refuse_failed(decoder.name, of_decoder(decoder), without)


def of_decoder(decoder: Decoder) -> Iterator[Outcome]:
    """Yield the outcome of each check of a format."""
    for check in _CHECKS:
        yield outcome_of(f"format {decoder.name}", check, decoder)
    if isinstance(decoder, HasSniff):
        yield outcome_of(f"format {decoder.name}", _examples_are_recognized, decoder)
        yield outcome_of(f"format {decoder.name}", _other_formats_are_not_recognized, decoder)
    if isinstance(decoder, HasPresets):
        yield outcome_of(f"format {decoder.name}", _presets_are_options, decoder)


def _examples_are_read(decoder: Decoder) -> None:
    """Each file of `examples` gives readings and no problem."""
    options = _options(decoder)
    for number, content in enumerate(_examples(decoder), start=1):
        items = list(decoder.decode([content], options))
        if problems := [item for item in items if isinstance(item, Problem)]:
            raise Failed(f"example {number}, line {problems[0].line}: {problems[0].message}")
        if not items:
            raise Failed(f"example {number} has no reading")


def _pieces_do_not_matter(decoder: Decoder) -> None:
    """A file that comes byte by byte, in pieces or cut in two anywhere is the same file."""
    options = _options(decoder)
    for content in _examples(decoder):
        whole = list(decoder.decode([content], options))
        for how, pieces in _cut(content):
            if list(decoder.decode(pieces, options)) != whole:
                raise Failed(f"a file that comes {how} gives other readings")


def _cut(content: bytes) -> Iterator[tuple[str, Sequence[bytes]]]:
    """Yield *content* in pieces, after how they come."""
    yield "byte by byte", _pieces(content, 1)
    for size in _SIZES:
        yield f"in pieces of {size} bytes", _pieces(content, size)
    for cut in range(1, len(content), max(1, len(content) // _CUTS)):
        yield f"cut at byte {cut}", (content[:cut], b"", content[cut:])


def _pieces(content: bytes, size: int) -> Sequence[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


def _an_endless_line_is_not_held(decoder: Decoder) -> None:
    """What goes on for ever is refused or passed over: it is not collected until it ends."""
    options = _options(decoder)
    for content in _examples(decoder):
        lines = content.splitlines(keepends=True)
        for head in (b"", lines[0], b"".join(lines[: max(1, len(lines) // 2)])):
            for filling in (b"1", b" ", b"x"):
                _bounded(decoder, options, chain([head], _endless(filling)))


def _endless(filling: bytes) -> Iterator[bytes]:
    for _ in range(_ENDLESS // _PIECE):
        yield filling * _PIECE  # each a text of its own, which takes its room where it is kept


def _bombs_are_told(decoder: Decoder) -> None:
    """An archive that inflates to far more than it is, or what is nested, takes no memory."""
    options = _options(decoder)
    for content in (_archive(), *(opening * 100_000 for opening in _NESTED)):
        _bounded(decoder, options, _pieces(content, _PIECE))


@cache
def _archive() -> bytes:
    """Return a zip archive with a file of `_ENDLESS` zeros, a thousandth of them in bytes."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w") as member,
    ):
        for piece in _endless(b"0"):
            member.write(piece)
    return file.getvalue()


def _bounded(decoder: Decoder, options: object, chunks: Iterable[bytes]) -> None:
    """Read a file; raises `Failed` once more than `_MEMORY` is held of it."""
    traced = tracemalloc.is_tracing()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()

    def watched() -> Iterator[bytes]:
        for chunk in chunks:
            if tracemalloc.get_traced_memory()[0] - before > _MEMORY:
                raise Failed(f"it holds over {_MEMORY // _PIECE} MiB of what does not end")
            yield chunk

    try:
        _survives(decoder, options, watched(), b"what does not end")
    finally:
        if not traced:
            tracemalloc.stop()


def _clock_changes_are_told(decoder: Decoder) -> None:
    """On days when clocks change, no two slots are one, and none ends before it begins."""
    _options(decoder)
    variants = [(content, list(_dates(content))) for content in _examples(decoder)]
    if not any(dates for _, dates in variants):
        raise Skipped("its examples have no dates of the calendar")
    for change in CLOCK_CHANGES:
        for options in _zoned(decoder, change.zone):
            for content, dates in variants:
                for hours in (0, 1, 2, 3, 23):
                    moved = _moved(content, dates, change.day, hours)
                    _each_slot_once(list(_items(decoder, options, [moved])), change.day)


def _dates(content: bytes) -> Iterator[date]:
    for found in _DATE.finditer(content):
        try:
            yield date(int(found[1]), int(found[3]), int(found[4]))
        except ValueError:
            continue


def _moved(content: bytes, dates: Sequence[date], day: date, hours: int) -> bytes:
    """Return a file of another day: its first date is *day*, the others follow as they did."""
    apart = day - min(dates) if dates else timedelta()

    def date_of(found: re.Match[bytes]) -> bytes:
        try:
            moved = date(int(found[1]), int(found[3]), int(found[4])) + apart
        except (ValueError, OverflowError):
            return found[0]
        text = f"{moved:%Y-%m-%d}" if found[2] else f"{moved:%Y%m%d}"
        if found[6] is None:
            return text.encode() + found[0][len(text) :]
        hour = int(found[6]) + hours
        after = found[6] if hour > 23 else b"%02d" % hour
        return text.encode() + (found[5] or b"") + after

    return _DATE.sub(date_of, content)


def _zoned(decoder: Decoder, zone: str) -> Iterator[object]:
    """Yield the options of a decoder: its own, and those of a zone where it has one."""
    yield _options(decoder)
    if "timezone" in {field.name for field in attrs.fields(decoder.options)}:
        yield TEXT.structure({"timezone": zone}, decoder.options)


def _each_slot_once(items: Sequence[Item], day: date) -> None:
    counts = Counter(
        (one.meter, one.channel, one.start, one.end)
        for item in items
        if not isinstance(item, Problem | MeterRead)
        for one in (item.readings() if isinstance(item, Run) else (item,))
    )
    for (_, _, start, end), count in counts.items():
        if count > 1:
            raise Failed(f"on {day} the slot of {start if end is None else end} comes twice")


def _examples_are_recognized(decoder: Decoder) -> None:
    """`sniff` knows each file of `examples`, not an empty one, and fails on none."""
    assert isinstance(decoder, HasSniff)
    for number, content in enumerate(_examples(decoder), start=1):
        if decoder.sniff(content[:HEAD]) is not True:
            raise Failed(f"example {number} is not recognized")
        for length in range(len(content[:HEAD])):
            decoder.sniff(content[:length])
    for content in _FILES:
        if not isinstance(decoder.sniff(content), bool):
            raise Failed("`sniff` returns something else than True and False")
    if decoder.sniff(b""):
        raise Failed("an empty file is recognized")


def _other_formats_are_not_recognized(decoder: Decoder) -> None:
    """`sniff` leaves the files of the other formats that are installed to these."""
    from energia.plugins import Plugins

    assert isinstance(decoder, HasSniff)
    try:
        installed = Plugins.installed().decoders()
    except EnergiaError as error:
        raise Skipped(f"the installed plugins do not load: {error.detail}") from None
    for name, other in installed.items():
        for content in other.examples if isinstance(other, HasExamples) else ():
            if name != decoder.name and decoder.sniff(content[:HEAD]):
                raise Failed(f"a file of the format {name} is recognized: format=auto cannot tell")


def _presets_are_options(decoder: Decoder) -> None:
    """Each of `presets` has options of the decoder, which fit together."""
    for name, preset in presets({decoder.name: decoder}).items():
        try:
            TEXT.structure(preset.texts, decoder.options)
        except Invalid as error:
            raise Failed(f"the preset {name!r}: {error.detail}") from None


def _damage_is_told(decoder: Decoder) -> None:
    """A file that is cut off, or of which bits or bytes are others, never crashes the decoder."""
    options, random = _options(decoder), Random(1)
    for content in _examples(decoder):
        for length in range(0, len(content), max(1, len(content) // _CUTS)):
            _survives(decoder, options, [content[:length]], content[:length])
        for number in range(_DAMAGED):
            damaged = bytearray(content)
            for _ in range(random.randint(1, 4)):
                place = random.randrange(len(damaged))
                bits, byte = damaged[place] ^ 1 << random.randrange(8), random.randrange(256)
                damaged[place] = byte if number % 2 else bits
            _survives(decoder, options, [bytes(damaged)], bytes(damaged))


def _anything_is_told(decoder: Decoder) -> None:
    """Bytes of any kind never crash the decoder; hypothesis draws some, where it is installed."""
    options = _options(decoder)
    for content in _FILES:
        _survives(decoder, options, [content], content)
    if find_spec("hypothesis") is None:
        return
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    @settings(
        database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.binary(max_size=300))
    def survives(content: bytes) -> None:
        _survives(decoder, options, [content], content)

    survives()


_CHECKS: Final[tuple[Callable[[Decoder], None], ...]] = (
    _examples_are_read,
    _pieces_do_not_matter,
    _damage_is_told,
    _anything_is_told,
    _an_endless_line_is_not_held,
    _bombs_are_told,
    _clock_changes_are_told,
)


# What a decoder may yield.

_NO_INSTANT: Final = "instants are whole seconds since 1970-01-01T00:00Z"


def _survives(decoder: Decoder, options: object, chunks: Iterable[bytes], content: bytes) -> None:
    """Read a file; raises `Failed`, which shows its *content*, for anything but what may be."""
    try:
        for _ in _items(decoder, options, chunks):
            pass
    except Failed:
        raise
    except (Exception, SystemExit) as error:
        shown = content if len(content) < 60 else content[:60] + b"..."
        raise Failed(f"{type(error).__name__} for {shown!r}: {error}") from error


def _items(decoder: Decoder, options: object, chunks: Iterable[bytes]) -> Iterator[Item]:
    """Yield what a file gives until it is refused; raises `Failed` for what nobody can use."""
    try:
        for item in decoder.decode(chunks, options):
            if fault := _fault(item):
                raise Failed(f"it yields {item!r}: {fault}")
            yield item
    except EnergiaError:
        return


def _fault(item: object) -> str | None:
    """Return what is wrong with what a decoder yields, or None."""
    if not isinstance(item, Item):
        return "no Reading, no Run, no MeterRead and no Problem"
    if item.line < 1:
        return "lines are counted from 1"
    if isinstance(item, Problem):
        return None if _CODE.fullmatch(item.code) and item.message else "a code and a message"
    if isinstance(item, MeterRead):
        return None if item.value.is_finite() else "a read of a register is a number"
    return _fault_of_run(item) if isinstance(item, Run) else _fault_of_reading(item)


def _fault_of_reading(reading: Reading) -> str | None:
    start, end = reading.start, reading.end
    if start is None and end is None:
        return "neither a start nor an end"
    if not all(moment is None or _is_whole(moment) for moment in (start, end)):
        return _NO_INSTANT
    if start is not None and end is not None and end <= start:
        return "it ends before it starts"
    return _fault_of_value(reading.value, reading.quality)


def _fault_of_run(run: Run) -> str | None:
    if not _is_whole(run.start):
        return _NO_INSTANT
    if not _is_whole(run.interval) or run.interval < 1:
        return "the interval is no number of whole seconds"
    codes = [run.quality] if isinstance(run.quality, int) else list(run.quality)
    if len(codes) not in (1, len(run.values)):
        return "as many qualities as values, or one"
    faults = (_fault_of_value(value, codes[0]) for value in run.values)
    qualities = (_fault_of_value(None, code) for code in codes)
    return next((fault for fault in (*faults, *qualities) if fault), None)


def _is_whole(number: object) -> bool:
    return isinstance(number, int)


def _fault_of_value(value: object, quality: int) -> str | None:
    if value is not None and not (isinstance(value, Decimal) and value.is_finite()):
        return "a value is a finite Decimal or None"
    return None if 0 <= quality < len(QUALITIES) else "a quality is an index of QUALITIES"


def _options(decoder: Decoder) -> object:
    try:
        return TEXT.structure({}, decoder.options)
    except Invalid:
        raise Skipped("its options have no defaults") from None


def _examples(decoder: Decoder) -> Sequence[bytes]:
    if not isinstance(decoder, HasExamples) or not decoder.examples:
        raise Skipped("it states no examples: examples = (b'...',) on its class")
    return decoder.examples
