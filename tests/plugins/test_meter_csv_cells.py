"""The plugin `meter-csv`: what the cells of a file mean."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.metering.decoders import Problem, Reading
from energia.time import Zone
from tests.plugins.csv_files import decoded, times


@given(st.integers(1, 200))
def test_any_chunks(size: int) -> None:
    """Wherever the file is cut, it is read alike."""
    text = "start;value\r\n2026-03-01T00:00:00Z;1,5\r\n\r\n2026-03-01 01:00Z;\r\n"
    options = {"delimiter": ";", "decimal": ","}

    found = decoded("\ufeff".encode() + text.encode(), options, size)

    assert found == [
        Reading(2, Decimal("1.5"), 1_772_323_200),
        Reading(4, None, 1_772_326_800),
    ]


@pytest.mark.parametrize(
    ("cell", "options", "value"),
    [
        ("0.17099999999999999", {}, "0.17099999999999999"),
        ("-1.5", {}, "-1.5"),
        ("0E-20", {}, "0"),
        ("1,5", {"decimal": ","}, "1.5"),
        ("1.234.567,5", {"decimal": ",", "thousands": "."}, "1234567.5"),
        ("1 234", {"thousands": " "}, "1234"),
        ("1234", {"thousands": " "}, "1234"),
        ("1e400", {}, "1e400"),
    ],
)
def test_numbers(cell: str, options: dict[str, str], value: str) -> None:
    """Numbers are read with the declared marks."""
    text = f"start;value\n2026-03-01T00:00:00Z;{cell}\n"

    (found,) = decoded(text, {"delimiter": ";"} | options)

    assert isinstance(found, Reading)
    assert found.value == Decimal(value)


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("1,5", {}),
        ("1.5", {"decimal": ","}),
        ("1.234", {"decimal": ",", "thousands": " "}),
        ("12 34", {"thousands": " "}),
        ("1_000", {}),
        ("NaN", {}),
        ("inf", {}),
        ("1" * 61, {}),
        ("kWh", {}),
    ],
)
def test_what_is_no_number(cell: str, options: dict[str, str]) -> None:
    """Another mark is never guessed."""
    (found,) = decoded(f"start;value\n2026-03-01T00:00:00Z;{cell}\n", {"delimiter": ";"} | options)

    assert isinstance(found, Problem)
    assert (found.line, found.code) == (2, "not_a_number")


@pytest.mark.parametrize(
    ("cell", "options", "expected"),
    [
        ("2026-03-01T00:00:00Z", {}, "03-01 00:00"),
        ("2026-03-01 00:00+05:45", {}, "02-28 18:15"),
        ("2026-03-01 00:00:00 +0100", {}, "02-28 23:00"),
        ("2026-02-28T24:00:00Z", {}, "03-01 00:00"),
        ("2026-02-28T24:00:01Z", {}, "bad_time"),
        ("2026-03-01T00:00:00.5Z", {}, "off_grid"),
        ("2026-03-01T00:00:00", {}, "naive_time"),
        ("2026-03-01T00:00:00", {"timezone": "America/Sao_Paulo"}, "03-01 03:00"),
        ("2026-03-01T00:00:00Z", {"timezone": "America/Sao_Paulo"}, "03-01 00:00"),
        ("2026-03-01T00:00:00", {"timezone": "-03:00"}, "03-01 03:00"),
        ("01/03/2026 00:30", {"date_format": "%d/%m/%Y %H:%M", "timezone": "UTC"}, "03-01 00:30"),
        ("03/13/2026 00:30", {"date_format": "%d/%m/%Y %H:%M", "timezone": "UTC"}, "bad_time"),
        ("2026-03-01 00:00 +0100", {"date_format": "%Y-%m-%d %H:%M %z"}, "02-28 23:00"),
        ("2026-02-30T00:00:00Z", {}, "bad_time"),
        ("20260301", {}, "bad_time"),
        ("", {}, "bad_time"),
        ("2021-03-28 01:30", {"timezone": "Europe/London"}, "impossible_time"),
        ("2018-11-04 00:30", {"timezone": "America/Sao_Paulo"}, "impossible_time"),
    ],
)
def test_times(cell: str, options: dict[str, str], expected: str) -> None:
    """A time stamp means one instant, or is a problem of its line."""
    assert times(decoded(f"start,value\n{cell},1\n", options)) == [expected]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2018-11-03 24:00", "11-04 03:00"),
        ("2018-11-04 00:00", "11-04 03:00"),
        ("2018-11-04 01:00", "11-04 03:00"),
        ("2018-11-04 00:15", "impossible_time"),
        ("2019-02-16 24:00", "02-17 03:00"),
    ],
)
def test_ends_at_a_missing_midnight(cell: str, expected: str) -> None:
    """A slot may end at the very moment at which the clocks go forward, however it is written."""
    options = {"timezone": "America/Sao_Paulo", "stamp": "end"}

    assert times(decoded(f"start,value\n{cell},1\n", options)) == [expected]


STAMPS = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31))
ZONES = st.sampled_from(
    ["Europe/London", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "+05:30"]
)


@given(
    st.lists(st.tuples(STAMPS, st.sampled_from(["", "Z", "+0545", "-03:00"])), max_size=8), ZONES
)
def test_parts_of_stamps_mean_what_whole_stamps_mean(
    stamps: list[tuple[datetime, str]], zone: str
) -> None:
    """A stamp whose day and time of day came before means the same as the only one of a file."""
    days, hours = [stamp.date() for stamp, _ in stamps], [stamp.time() for stamp, _ in stamps]
    cells = [
        f"{day.isoformat()} {hour.isoformat('minutes')}{offset}"
        for day in days
        for hour, (_, offset) in zip(hours, stamps, strict=True)
    ]
    alone = {
        cell: times(decoded(f"start,value\n{cell},1\n", {"timezone": zone}))[0] for cell in cells
    }
    once = [cell for cell in cells if not _comes_twice(cell, zone)]

    found = decoded("start,value\n" + "".join(f"{c},1\n" for c in once), {"timezone": zone})

    assert times(found) == [alone[cell] for cell in once]


def _comes_twice(cell: str, zone: str) -> bool:
    stamp, tz = datetime.fromisoformat(cell), Zone.named(zone).tzinfo
    if stamp.tzinfo is not None:
        return False
    ahead = [stamp.replace(tzinfo=tz, fold=fold).utcoffset() or timedelta() for fold in (0, 1)]
    return ahead[1] < ahead[0]


LOCAL = [f"{hour:02}:{minute:02}" for hour in range(4) for minute in (0, 30)]


def stamps(order: list[str], name: str = "a") -> str:
    """Return a file of local times of the day on which London's clocks go back."""
    return "".join(f"2021-10-31 {clock},1,{name}\n" for clock in order)


TWICE = [*LOCAL[:4], *LOCAL[2:]]
UTC_TIMES = [
    (datetime(2021, 10, 30, 23, tzinfo=UTC) + timedelta(minutes=30 * n)).strftime("%m-%d %H:%M")
    for n in range(10)
]


@pytest.mark.parametrize("falling", [False, True])
def test_a_repeated_hour_is_told_apart_by_order(falling: bool) -> None:
    """In files that go forward and in files that go back, every half-hour is its own."""
    order = TWICE[::-1] if falling else TWICE
    expected = UTC_TIMES[::-1] if falling else UTC_TIMES

    found = decoded("start,value,m\n" + stamps(order), {"timezone": "Europe/London"})

    assert times(found) == expected


def test_interleaved_meters_have_their_own_order() -> None:
    """Rows of two meters that alternate do not disturb each other."""
    rows = "".join(stamps([clock], name) for clock in TWICE for name in ("a", "b"))

    found = decoded("start,value,m\n" + rows, {"timezone": "Europe/London", "meter_column": "m"})

    assert times(found) == [clock for clock in UTC_TIMES for _ in range(2)]


def test_a_row_without_value_and_quality_says_nothing() -> None:
    """Where qualities have a column; a value without one is actual, none without one missing."""
    stamps = [f"2026-03-01T0{hour}:00:00Z" for hour in range(4)]
    cells = [",", ",missing", "1,", "2,estimated"]
    rows = [f"{stamp},{cell}" for stamp, cell in zip(stamps, cells, strict=True)]
    text = "\n".join(["start,value,quality", *rows])

    told = decoded(text, {"quality_column": "quality"})
    plain = decoded(text)

    assert [(one.line, one.value) for one in told if isinstance(one, Reading)] == [
        (3, None),
        (4, 1),
        (5, 2),
    ]
    assert [one.value for one in plain if isinstance(one, Reading)] == [None, None, 1, 2]
