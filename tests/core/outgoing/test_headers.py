"""What others say in headers is read, or left; it never raises."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from energia.outgoing.headers import LONGEST, Headers

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
#: Bytes as aiohttp gives them: what is no UTF-8 becomes lone surrogates.
ODD = st.binary(max_size=80).map(lambda it: it.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("²", 0),
        ("١٢", 0),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("", 0),
        ("9" * 5000, LONGEST),
        ("Mon, 02 Mar 2026 12:02:00 GMT", 120),
        ("Mon, 02 Mar 2026 12:02:00 -0000", 120),
        ("Mon, 02 Mar 2026 12:02:00", 120),
        ("Mon, 02 Mar 2026 09:02:00 -0300", 120),
        ("Monday, 02-Mar-26 12:02:00 GMT", 120),
        ("Mon Mar  2 12:02:00 2026", 120),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 0),
        ("Sat, 01 Jan 0001 00:00:00 +2359", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST),
    ],
)
def test_retry_after(given: str, seconds: float) -> None:
    """Seconds in ASCII digits or a date of any kind; anything else is no wish."""
    assert Headers({"Retry-After": given}).retry_after(NOW) == seconds


def test_a_date_is_by_the_clock_of_its_sender() -> None:
    """One whose clock is an hour ahead means two minutes, not an hour and two minutes."""
    told = {
        "Retry-After": "Mon, 02 Mar 2026 13:02:00 GMT",
        "Date": "Mon, 02 Mar 2026 13:00:00 -0000",
    }

    assert Headers(told).retry_after(NOW) == 120


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("etag", '"a1"', True),
        ("etag", 'W/"a1"', True),
        ("etag", "bare", True),
        ("etag", '"\udcff"', False),
        ("etag", '"é"', False),
        ("etag", '"' + "x" * 300 + '"', False),
        ("last_modified", "Mon, 02 Mar 2026 12:02:00 GMT", True),
        ("last_modified", "yesterday", False),
        ("last_modified", "\udcff", False),
    ],
)
def test_what_is_sent_back_is_plain(name: str, given: str, kept: bool) -> None:
    """ASCII as it came, or nothing: the database and the next request take no odd bytes."""
    headers = Headers({"ETag": given, "Last-Modified": given})

    assert getattr(headers, name) == (given if kept else None)


@pytest.mark.parametrize(
    ("given", "charset"),
    [
        ("application/json", "utf-8"),
        ("text/csv; charset=ISO-8859-1", "cp1252"),
        ('text/csv; charset="utf-16"; x=y', "utf-16"),
        ("text/csv; charset=zip", "utf-8"),
        ("text/csv; charset=\udcff", "utf-8"),
    ],
)
def test_a_charset_is_one_of_texts(given: str, charset: str) -> None:
    """Unknown ones, and codecs of Python that are no charset, count as UTF-8."""
    assert Headers({"Content-Type": given}).charset == charset


@given(given=ODD | st.text(max_size=80))
@example(given="²")
@example(given="Mon, 02 Mar 2026 12:02:00 -0000")
def test_any_bytes_give_a_value_or_nothing(given: str) -> None:
    """Whatever comes in whatever header, and what is kept of it is JSON."""
    names = ("Retry-After", "Date", "ETag", "Last-Modified", "Content-Type")
    headers = Headers(dict.fromkeys(names, given))

    assert 0 <= headers.retry_after(NOW) <= LONGEST
    assert headers.date is None or headers.date.tzinfo is UTC
    json.dumps([headers.etag, headers.last_modified]).encode("ascii")
    "".encode(headers.charset)
