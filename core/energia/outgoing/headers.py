"""Headers of others' answers, read warily: any bytes give a value or nothing, never an error.

aiohttp gives bytes that are no UTF-8 as lone surrogates, which neither JSON nor a database takes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import attrs

#: The longest that a `Retry-After` is taken for: a year, in seconds.
LONGEST: Final = 366 * 86_400.0
_SECONDS: Final = re.compile(r"[0-9]+")
#: What is sent back as it came: ASCII that can be seen.
_VISIBLE: Final = re.compile(r"[\x20-\x7e]{1,200}")
_CHARSET: Final = re.compile(r"""charset\s*=\s*"?([A-Za-z0-9._-]{1,40})""", re.IGNORECASE)
#: The charsets of texts that are read; Python knows others that are none, such as `zip`.
_CHARSETS: Final = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "cp1252",
    "iso-8859-15": "iso-8859-15", "windows-1252": "cp1252", "utf-16": "utf-16",
}  # fmt: skip


@attrs.frozen
class Headers:
    """The headers of an answer; what is not there, or not what it should be, is None."""

    _raw: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    def retry_after(self, now: datetime) -> float:
        """Return for how many seconds the sender wants to be left alone: 0 if it does not say.

        It is a number of seconds or a date (RFC 9110, 10.2.3), which the sender's clock means, so
        that its own `Date` counts where there is one.
        """
        given = self._text("Retry-After")
        if _SECONDS.fullmatch(given):
            # Never infinite, however many digits: what is added to a date must end.
            return min(float(given), LONGEST)
        moment = _date(given)
        if moment is None:
            return 0.0
        seconds = (moment - (self.date or now)).total_seconds()
        return min(max(seconds, 0.0), LONGEST)

    @property
    def date(self) -> datetime | None:
        """When the answer was made, by the sender's clock."""
        return _date(self._text("Date"))

    @property
    def etag(self) -> str | None:
        """What to send as `If-None-Match`."""
        return self._sendable("ETag")

    @property
    def last_modified(self) -> str | None:
        """What to send as `If-Modified-Since`: a date, as it came."""
        given = self._sendable("Last-Modified")
        return given if given and _date(given) else None

    @property
    def charset(self) -> str:
        """The charset of a text; UTF-8 where none is stated that is known."""
        stated = _CHARSET.search(self._text("Content-Type"))
        return _CHARSETS.get(stated[1].lower(), "utf-8") if stated else "utf-8"

    def _text(self, name: str) -> str:
        return self._raw.get(name, "").strip(" \t")

    def _sendable(self, name: str) -> str | None:
        given = self._text(name)
        return given if _VISIBLE.fullmatch(given) else None


def _date(text: str) -> datetime | None:
    """Return the instant of an HTTP date; `-0000` and no zone mean UTC too (RFC 5322)."""
    if not _VISIBLE.fullmatch(text):
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except Exception:  # the parser raises whatever comes: ValueError, TypeError, OverflowError
        return None
