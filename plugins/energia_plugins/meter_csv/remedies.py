"""What may help where a file is not as its options say: the option, as it is to be said.

These are words in messages: nothing is read by them, and the client decides.
"""

import re
from functools import lru_cache
from typing import Final

from energia_plugins.meter_csv.guesses import encoding_like, stamps_of, time_format_of

#: How files begin that are no text, and what they are.
_MAGIC: Final = {
    b"PK\x03\x04": "a workbook of Excel (`format=excel`) or a zip archive, not a text",
    b"\x1f\x8b": "compressed by gzip: say `Content-Encoding: gzip`, or name the file .gz",
    b"\xd0\xcf\x11\xe0": "an old workbook (.xls): save it as .xlsx (`format=excel`) or as CSV",
    b"%PDF": "a PDF, not a table: ask for the file as CSV",
}
#: How texts begin that are no tables.
_TEXTS: Final = {
    "<!doctype html": "a web page, perhaps one to log in, and not the file that was meant",
    "<html": "a web page, perhaps one to log in, and not the file that was meant",
    "<?xml": "XML, not a table: Green Button is `format=green_button`",
    "<feed": "XML, not a table: Green Button is `format=green_button`",
    '{"': "JSON, not a table: `format=ndjson` reads an object in each line",
    "[{": "JSON, not a table: `format=ndjson` reads an object in each line",
}
#: Stamps of the common forms; that there are few keeps `_patterns` short of work.
_STAMP: Final = re.compile(
    r"([0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}|[0-9]{8})"
    r"([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( ?[AP]M)?)?",
    re.IGNORECASE,
)
#: How many digits a stamp since 1970 has today, by its format.
_EPOCHS: Final = {10: "epoch", 13: "epoch_ms", 16: "epoch_us", 19: "epoch_ns"}
_UNIT: Final = re.compile(r"[-+0-9.,]+ ?(?P<unit>[kMG]?(?:Wh|varh|VAh|J)|m3)")


def of_bytes(head: bytes) -> str | None:
    """Return what a file is that is no text; None if that cannot be told."""
    return next((told for magic, told in _MAGIC.items() if head.startswith(magic)), None)


def of_text(head: str) -> str | None:
    """Return what a text is that is no table; None if that cannot be told."""
    begin = head[:200].lstrip().lower()
    return next((told for word, told in _TEXTS.items() if begin.startswith(word)), None)


def of_encoding(data: bytes) -> str:
    """Return which encoding bytes look like, and what to say then."""
    found = encoding_like(data)[0].replace("iso-8859-1", "latin-1")
    return f"this looks like {found}: say `encoding={found}`, or what it is"


def of_stamp(text: str, format_: str = "") -> str:
    """Return what to say of a stamp or a time of day that does not fit; "" if that is not known.

    It has another form than that of *format_*, or it has that form and does not exist.
    """
    if text.isdigit() and text.isascii() and len(text) in _EPOCHS:
        return f"; say `date_format={_EPOCHS[len(text)]}` if it counts from 1970"
    if (clock := time_format_of([text])) == format_:
        return "; there is no such time of day"
    if clock:
        return f"; say `time_format={clock}`"
    if not _STAMP.fullmatch(text):
        return ""
    patterns = _patterns(re.sub("[0-9]+", lambda digits: _DIGITS.get(len(digits[0]), ""), text))
    if format_ in patterns:
        return "; there is no such day, or no such time of day"
    return f"; say `date_format={', or '.join(patterns)}`" if patterns else ""


#: Digits that are a year, a month, a day, an hour, whichever is asked for.
_DIGITS: Final = {1: "1", 2: "01", 4: "2001", 8: "20010101"}


@lru_cache(maxsize=256)
def _patterns(shape: str) -> tuple[str, ...]:
    found = stamps_of(shape)
    return () if found is None else (found.pattern, *found.others[:2])


def of_number(text: str, decimal: str, thousands: str | None) -> str:
    """Return what to say of a cell that is no number with these marks; "" if that is not known."""
    if not any(character.isdigit() for character in text):
        return f"; say `missing_words={text[:20]}` if it stands for no value"
    if unit := _UNIT.fullmatch(text):
        return f"; say `unit={unit['unit']}`"
    said = []
    other = "," if decimal == "." else "."
    if re.fullmatch(rf"[-+]?[0-9]*{re.escape(other)}[0-9]+(E[-+]?[0-9]+)?", text, re.IGNORECASE):
        said.append(f"`decimal={other}`")
    for mark in (other, " ", "'", "\u00a0"):
        group = (
            rf"[-+]?[1-9][0-9]{{0,2}}({re.escape(mark)}[0-9]{{3}})+({re.escape(decimal)}[0-9]*)?"
        )
        if mark != thousands and re.fullmatch(group, text):
            said.append(f"`thousands={mark}`")
    turned = rf"[-+]?[1-9][0-9]{{0,2}}({re.escape(decimal)}[0-9]{{3}})+{re.escape(other)}[0-9]*"
    if not said and re.fullmatch(turned, text):
        said.append(f"`decimal={other}` and `thousands={decimal}`")
    return f"; say {', or '.join(said)}" if said else ""
