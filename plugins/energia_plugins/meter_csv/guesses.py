"""What cells may be: encodings of their bytes, stamps, times of day and numbers."""

import codecs
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import attrs

from energia import Doubt
from energia_plugins.meter_csv.options import codec_of

_DATES: Final = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d.%m.%y", "%Y%m%d")
_TIMES: Final = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
#: As BigQuery writes instants.
_ZONED: Final = "%Y-%m-%d %H:%M:%S %Z"
_PATTERNS: Final = (*(date + time for date in _DATES for time in _TIMES), _ZONED)
#: Of so many cells of a column one may be wrong, and of five one.
_FEW: Final = 10
#: By so many cells it is told which patterns are worth a look.
_FIRST: Final = 10
_ISO: Final = re.compile(
    r"\d{4}-\d\d-\d\d"
    r"(?P<time>[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(?P<offset>Z|[+-]\d\d(:?\d\d)?)?)?",
    re.IGNORECASE,
)
#: What strptime is asked about: it takes long to say no.
_LIKE: Final = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}( .{4,14})?|\d{8}( .{4,11})?")
_TIME: Final = re.compile(r"\d{1,2}:\d\d(?P<seconds>:\d\d)?(?P<half> ?[AaPp][Mm])?")
_NUMBER: Final = re.compile(r"[-+]?\d[\d.,  ']*(E[-+]?\d+)?", re.I)


@attrs.frozen
class Stamps:
    """How stamps are written.

    Attributes:
        pattern: Their `date_format`.
        others: Other patterns that read them as well.
        dated_alone: Whether they are dates without a time.
        has_offset: Whether each has its offset.

    """

    pattern: str
    others: tuple[str, ...] = ()
    dated_alone: bool = False
    has_offset: bool = False


def is_like_stamp(cell: str) -> bool:
    """Whether a cell has the form of a stamp; `stamps_of` tells whether it is one."""
    return (_ISO.fullmatch(cell) or _LIKE.fullmatch(cell)) is not None


def stamps_of(*cells: str) -> Stamps | None:
    """Return how stamps are written; None if a cell is none."""
    found = [_ISO.fullmatch(cell) for cell in cells]
    if all(found):
        matches = [one for one in found if one is not None]
        alone = all(one["time"] is None for one in matches)
        return Stamps("iso", (), alone, all(one["offset"] for one in matches))
    if not all(map(_LIKE.fullmatch, cells)):
        return None
    able = [one for one in _PATTERNS if all(_reads(cell, one) for cell in cells)]
    if not able:
        return None
    alone = "%H" not in able[0] and "%I" not in able[0]
    return Stamps(able[0], tuple(able[1:]), alone, able[0] == _ZONED)


def stamps_of_most(cells: Sequence[str]) -> Stamps | None:
    """Return how stamps are written, of which a few may be wrong; None if they are none."""
    if not all_but_few(cells, is_like_stamp):
        return None
    like = [cell for cell in cells if is_like_stamp(cell)]
    if all_but_few(cells, _ISO.fullmatch):
        return stamps_of(*filter(_ISO.fullmatch, like))
    if whole := stamps_of(*like):
        return whole
    # Most patterns read nothing of it: the first cells tell.
    able = [one for one in _PATTERNS if any(_reads(cell, one) for cell in like[:_FIRST])]
    read = {one: [cell for cell in like if _reads(cell, one)] for one in able}
    best = max(read.values(), key=len, default=[])
    return stamps_of(*best) if all_but_few(cells, frozenset(best).__contains__) else None


def all_but_few(cells: Sequence[str], fits: Callable[[str], object]) -> bool:
    """Tell whether so many cells fit that the others are faults of the file."""
    wrong = sum(1 for cell in cells if not fits(cell))
    return bool(cells) and wrong <= max(1, len(cells) // _FEW) and wrong * 4 < len(cells)


def _reads(cell: str, pattern: str) -> bool:
    try:
        datetime.strptime(cell.replace(" 24:00", " 00:00"), pattern)
    except ValueError:
        return False
    return True


def time_format_of(cells: Sequence[str]) -> str | None:
    """Return the `time_format` of times of day; None if a cell is none."""
    found = [_TIME.fullmatch(cell) for cell in cells]
    first = found[0] if found else None
    if first is None or not all(found):
        return None
    if not first["half"]:
        return "iso"
    seconds = ":%S" if first["seconds"] else ""
    return f"%I:%M{seconds}{' ' if first['half'].startswith(' ') else ''}%p"


def is_number(cell: str) -> bool:
    """Whether a cell is a number, whichever its marks."""
    return _NUMBER.fullmatch(cell) is not None


def decimal_of(cells: Sequence[str]) -> tuple[str, str | None, str]:
    """Return the decimal mark, the mark between thousands, and why there is a doubt."""
    both = [cell for cell in cells if "." in cell and "," in cell]
    if both:
        decimal = max(".,", key=both[0].rfind)
        return decimal, "," if decimal == "." else ".", ""
    commas, points = ([cell for cell in cells if mark in cell] for mark in ",.")
    mark, marked = (",", commas) if commas else (".", points)
    group = re.compile(rf"[1-9]\d{{0,2}}\{mark}\d{{3}}")
    grouped = bool(marked) and all(map(group.fullmatch, marked))
    why = "three digits behind each mark: it may be one of thousands" if grouped else ""
    return mark, None, why


def encoding_of(head: bytes, said: str | None) -> tuple[str, str, list[Doubt]]:
    """Return the encoding of a text, the text as far as it goes, and the doubt about it."""
    known = None if said is None else codec_of(said)
    encoding, others = encoding_like(head) if known is None else (known, ())
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head).removeprefix("\ufeff")
    why = "not UTF-8, and any bytes are text of these"
    return encoding, text, [Doubt("encoding", encoding, others, why)] if others else []


def encoding_like(head: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the encoding that bytes look like, and others that they may be as well."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16", ()
    evens, odds = head[:400:2].count(0), head[1:400:2].count(0)
    if max(evens, odds) > len(head[:400]) / 5:
        return ("utf-16-le" if odds > evens else "utf-16-be"), ()
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        if re.search(rb"[\x80-\x9f]", head):
            return "windows-1252", ("iso-8859-1",)
        return "iso-8859-1", ("windows-1252", "iso-8859-15")
    return "utf-8", ()
