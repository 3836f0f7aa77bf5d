"""The plugin `meter-csv`: the instants that stamps mean, and the hour that comes twice."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.metering.decoders import Problem
from tests.plugins.csv_files import decoded, times

VIENNA = {"timezone": "Europe/Vienna"}
#: Quarter-hours around the change of 2023-10-29, when 02:00 to 03:00 comes twice in Vienna.
FIRST = datetime(2023, 10, 28, 23, tzinfo=UTC)
SLOTS = [FIRST + timedelta(minutes=15 * n) for n in range(16)]


def local(instant: datetime) -> str:
    """Return the time on Vienna's clocks, of which nobody can tell which of both it is."""
    ahead = 2 if instant < datetime(2023, 10, 29, 1, tzinfo=UTC) else 1
    return (instant + timedelta(hours=ahead)).strftime("%Y-%m-%d %H:%M")


def in_pairs(slots: list[datetime]) -> list[datetime]:
    """Return slots as some operators write them: 02:00 02:00 02:15 02:15."""
    return sorted(slots, key=local)


def read(slots: list[datetime], blanks: str = "") -> list[str]:
    """Return what the stamps of slots are read as; *blanks* adds a twin without a value to each."""
    rows = []
    for slot in slots:
        twins = {"": ["1"], "after": ["1", ""], "before": ["", "1"]}[blanks]
        rows += [f"{local(slot)},{value}\n" for value in twins]
    found = decoded("start,value\n" + "".join(rows), VIENNA)
    return times([one for one in found if isinstance(one, Problem) or one.value is not None])


def utc(slots: list[datetime]) -> list[str]:
    """Return what they are."""
    return [slot.strftime("%m-%d %H:%M") for slot in slots]


@pytest.mark.parametrize("blanks", ["", "after", "before"])
@pytest.mark.parametrize("falling", [False, True])
def test_two_runs_through_the_hour(falling: bool, blanks: str) -> None:
    """Forward or back, with a blank twin of each stamp or without: each slot is its own."""
    slots = SLOTS[::-1] if falling else SLOTS

    assert read(slots, blanks) == utc(slots)


@pytest.mark.parametrize("falling", [False, True])
def test_the_hour_in_pairs(falling: bool) -> None:
    """The second of two equal stamps is the later one; in a file that goes back, the earlier."""
    slots = in_pairs(SLOTS)
    if falling:
        slots = slots[::-1]

    assert read(slots) == utc(slots)


@given(st.sets(st.sampled_from(range(4, 12)), max_size=3), st.booleans())
def test_gaps_in_the_runs_move_nothing(missing: set[int], falling: bool) -> None:
    """What is left of both runs is read as it is meant, or it is told that it cannot be."""
    slots = [slot for at, slot in enumerate(SLOTS) if at not in missing]

    found = read(slots[::-1] if falling else slots)

    assert found == utc(slots[::-1] if falling else slots) or "ambiguous_time" in found


@pytest.mark.parametrize("missing", range(4, 12))
def test_a_gap_in_a_run_moves_nothing(missing: int) -> None:
    """A run through the hour is told by its going back, not by counting stamps."""
    slots = [slot for at, slot in enumerate(SLOTS) if at != missing]

    assert read(slots) == utc(slots)


@pytest.mark.parametrize("missing", [4, 5, 8, 9])
def test_a_gap_in_the_pairs_is_told(missing: int) -> None:
    """Which of both a lone stamp among pairs is cannot be told."""
    slots = in_pairs([slot for at, slot in enumerate(SLOTS) if at != missing])

    assert "ambiguous_time" in read(slots)


def ends(slots: list[datetime], clock: str) -> str:
    """Return a file of ends of slots, by the clock before or after a change."""
    step = timedelta(minutes=15)
    quarter = datetime.fromisoformat
    stamps = [
        (quarter(local(slot)) + step).strftime("%Y-%m-%d %H:%M")
        if clock == "before"
        else local(slot + step)
        for slot in slots
    ]
    return "start,value\n" + "".join(f"{stamp},1\n" for stamp in stamps)


@pytest.mark.parametrize("order", ["forward", "back", "pairs"])
@pytest.mark.parametrize("clock", ["after", "before"])
def test_ends_of_slots_in_the_hour(clock: str, order: str) -> None:
    """By the clock before the change or after it; the one is never read as the other."""
    slots = {"forward": SLOTS, "back": SLOTS[::-1], "pairs": in_pairs(SLOTS)}[order]
    if order == "pairs" and clock == "after":
        slots = sorted(SLOTS, key=lambda slot: local(slot + timedelta(minutes=15)))
    expected = utc([slot + timedelta(minutes=15) for slot in slots])
    other = {"after": "before", "before": "after"}[clock]

    said, wrong = (
        times(decoded(ends(slots, clock), VIENNA | {"stamp": "end", "change_end": one}))
        for one in (clock, other)
    )

    assert said == expected
    assert "ambiguous_time" in wrong


def test_a_file_that_begins_in_the_hour() -> None:
    """Forward it begins with the first of both; back it cannot be told with which."""
    assert read(SLOTS[5:]) == utc(SLOTS[5:])
    assert "ambiguous_time" in read(SLOTS[4:11][::-1])


def test_a_file_that_begins_after_the_hour_and_goes_back() -> None:
    """Its second row tells the way."""
    slots = SLOTS[4:13][::-1]

    assert read(slots) == utc(slots)


@pytest.mark.parametrize(
    ("cell", "options", "expected"),
    [
        ("2026-07-01 10:00 UTC", "%Y-%m-%d %H:%M %Z", "07-01 10:00"),
        ("2026-07-01 10:00 cest", "%Y-%m-%d %H:%M %Z", "07-01 08:00"),
        ("2026-07-01 10:00 CET", "%Y-%m-%d %H:%M %Z", "unknown_zone"),
        ("2026-07-01 10:00 PST", "%Y-%m-%d %H:%M %Z", "unknown_zone"),
        ("2026-10-25 02:30 CEST", "%Y-%m-%d %H:%M %Z", "10-25 00:30"),
        ("2026-10-25 02:30 CET", "%Y-%m-%d %H:%M %Z", "10-25 01:30"),
        ("2026-07-01 10:00:00.0000000", "iso", "07-01 08:00"),
        ("2026-07-01 10:00:00.0000001", "iso", "off_grid"),
        ("2026-07-01t10:00:00.000000000z", "iso", "07-01 10:00"),
        ("2026-07-01 10:00:00+00", "iso", "07-01 10:00"),
        ("2026-07-01 10:00:00-03", "%Y-%m-%d %H:%M:%S%z", "07-01 13:00"),
        ("2026-07-01\u00a0 10:00", "iso", "07-01 08:00"),
        ("01.07.2026 24:00", "%d.%m.%Y %H:%M", "07-01 22:00"),
        ("01.07.2026 24:01", "%d.%m.%Y %H:%M", "bad_time"),
        ("2:05 pm, 7/1/26", "%I:%M %p, %m/%d/%y", "07-01 12:05"),
        ("1 Jul 2026 12:00 AM", "%d %b %Y %I:%M %p", "06-30 22:00"),
        ("OCT 7 2026T10:00", "%b %d %YT%H:%M", "10-07 08:00"),
        ("2026182 1000", "%Y%j %H%M", "07-01 08:00"),
        ("Wed 01.07.2026 10:00", "%a %d.%m.%Y %H:%M", "07-01 08:00"),
        ("Thu 01.07.2026 10:00", "%a %d.%m.%Y %H:%M", "bad_time"),
        ("31.06.2026 10:00", "%d.%m.%Y %H:%M", "bad_time"),
        ("1782900000", "epoch", "07-01 10:00"),
        ("1782900000000", "epoch_ms", "07-01 10:00"),
        ("1782900000001", "epoch_ms", "off_grid"),
        ("1782900000000000000", "epoch_ns", "07-01 10:00"),
        ("soon", "epoch", "bad_time"),
    ],
)
def test_stamps(cell: str, options: str, expected: str) -> None:
    """Each directive of a pattern counts; offsets, abbreviations and decimals as programs write."""
    text = f'start;value\n"{cell}";1\n'

    found = decoded(text, VIENNA | {"date_format": options, "delimiter": ";"})

    assert times(found) == [expected]


@pytest.mark.parametrize(
    ("cell", "options", "expected"),
    [
        ("7:15", {}, "02-28 23:00 + 7:15"),
        ("24:00:00", {}, "02-28 23:00 + 24:00"),
        ("12:30 AM", {"time_format": "%I:%M %p"}, "02-28 23:00 + 0:30"),
        ("0730", {"time_format": "%H%M"}, "02-28 23:00 + 7:30"),
        ("730", {"time_format": "%H%M"}, "bad_time"),
        ("07:00 - 07:15", {"range_mark": "-"}, "02-28 23:00 + 7:00"),
        ("07:00 - 07:15", {"range_mark": "-", "stamp": "end"}, "02-28 23:00 + 7:15"),
        ("00:00", {"midnight": "end", "stamp": "end"}, "02-28 23:00 + 24:00"),
        ("3", {"time_format": "number", "interval": "PT1H"}, "02-28 23:00 + 2:00"),
        ("H03", {"time_format": "number", "interval": "PT15M"}, "02-28 23:00 + 0:30"),
        ("25", {"time_format": "number", "interval": "PT1H"}, "impossible_time"),
        ("0", {"time_format": "number", "interval": "PT1H"}, "impossible_time"),
        ("07:00", {"range_mark": "-"}, "bad_time"),
    ],
)
def test_times_apart_from_their_dates(cell: str, options: dict[str, str], expected: str) -> None:
    """A column of times, of ranges or of numbers of intervals."""
    text = f"Date,Time,value\n01.03.2026,{cell},1\n"
    base = {"start_column": "Date", "time_column": "Time", "date_format": "%d.%m.%Y"}

    (found,) = times(decoded(text, VIENNA | base | options))

    if "+" in expected:
        hours, minutes = map(int, expected.rpartition(" ")[2].split(":"))
        begin = datetime(2026, 2, 28, 23, tzinfo=UTC)
        expected = (begin + timedelta(hours=hours, minutes=minutes)).strftime("%m-%d %H:%M")
    assert found == expected


@pytest.mark.parametrize(
    ("cell", "end", "expected"),
    [
        ("2026-03-01 00:00 to 2026-03-01 00:15", "start", "02-28 23:00"),
        ("2026-03-01 00:00 to 2026-03-01 00:15", "end", "02-28 23:15"),
    ],
)
def test_a_range_in_one_cell(cell: str, end: str, expected: str) -> None:
    """The start of it is read, or the end."""
    options = VIENNA | {"range_mark": "to", "stamp": end}

    assert times(decoded(f"start,value\n{cell},1\n", options)) == [expected]


def test_dates_in_rows_of_their_own() -> None:
    """Times belong to the date above them, whichever day comes first; without one they are none."""
    text = "start,value\n00:15,9\n02/03/2026,\n00:15,1\n00:00,2\n01/03/2026,\n00:15,3\n"
    options = {"date_format": "%d/%m/%Y", "day_rows": "true", "midnight": "end", "stamp": "end"}

    found = decoded(text, VIENNA | options)

    assert times(found) == ["bad_time", "03-01 23:15", "03-02 23:00", "02-28 23:15"]
