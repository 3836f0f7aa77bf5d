"""Zones as arithmetic agree with `zoneinfo`, in gaps and folds too; durations are ISO 8601."""

import struct
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from energia.convert import unstructure
from energia.time import (
    DAY,
    STEP,
    BadDuration,
    Granularity,
    UnknownZone,
    Zone,
    day_number,
    day_of,
    duration_of,
    duration_text,
    instant_of,
    length_of,
    length_text,
    seconds_in,
    utc,
    utc_text,
)

NAMES = [
    "UTC",
    "Europe/London",
    "Europe/Dublin",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Gaza",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Antarctica/Troll",
]
ZONES = st.sampled_from(NAMES)
FIRST = int(datetime(1901, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2198, 1, 1, tzinfo=UTC).timestamp())
INSTANTS = st.one_of(
    st.integers(FIRST, LAST),
    # Where clocks change most.
    st.integers(
        int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()),
        int(datetime(2030, 1, 1, tzinfo=UTC).timestamp()),
    ),
)


@given(ZONES, st.lists(INSTANTS, min_size=1, max_size=20))
def test_offsets(name: str, instants: list[int]) -> None:
    """The offset at an instant is that of the standard library."""
    found = Zone.named(name).offsets(np.array(instants, np.int64))

    zone = ZoneInfo(name)
    expected = [datetime.fromtimestamp(i, UTC).astimezone(zone).utcoffset() for i in instants]
    assert found.tolist() == [(e or timedelta()).total_seconds() for e in expected]


@given(ZONES, st.lists(INSTANTS, min_size=1, max_size=20))
@example("Pacific/Apia", [int(datetime(2011, 12, 30, 12, tzinfo=UTC).timestamp())])
@example("America/Sao_Paulo", [int(datetime(2018, 11, 4, 0, 30, tzinfo=UTC).timestamp())])
@example("America/Sao_Paulo", [int(datetime(2019, 2, 16, 23, 30, tzinfo=UTC).timestamp())])
@example("Australia/Lord_Howe", [int(datetime(2021, 10, 3, 2, 15, tzinfo=UTC).timestamp())])
def test_wall_clock(name: str, naive: list[int]) -> None:
    """A wall-clock time means the two instants that fold 0 and 1 mean, or lies in a gap."""
    earlier, later, missing = Zone.named(name).instants(np.array(naive, np.int64))

    zone = ZoneInfo(name)
    for wall, first, second, gap in zip(
        naive, earlier.tolist(), later.tolist(), missing.tolist(), strict=True
    ):
        local = datetime(1970, 1, 1) + timedelta(seconds=wall)
        folds = [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
        instants = [round(fold.timestamp()) for fold in folds]
        exists = [
            datetime.fromtimestamp(i, UTC).astimezone(zone).replace(tzinfo=None) == local
            for i in instants
        ]
        assert gap == (not any(exists))
        if gap:
            before = datetime.fromtimestamp(first - 1, UTC).astimezone(zone)
            after = datetime.fromtimestamp(first, UTC).astimezone(zone)
            assert first == second
            assert before.replace(tzinfo=None) < local < after.replace(tzinfo=None)
        else:
            assert [first, second] == sorted(instants)


@given(ZONES, INSTANTS)
def test_there_and_back(name: str, instant: int) -> None:
    """An instant is one of those that its own wall-clock time means."""
    zone = Zone.named(name)

    earlier, later, missing = zone.instants(zone.local(np.array([instant], np.int64)))

    assert not missing[0]
    assert instant in (earlier[0], later[0])


@given(ZONES, st.dates(date(1902, 1, 1), date(2190, 1, 1)))
def test_midnights(name: str, day: date) -> None:
    """A day begins at its first instant: nothing of it is before."""
    zone = Zone.named(name)
    start = zone.midnight(day)

    if name == "Pacific/Apia" and day == date(2011, 12, 30):
        # The day does not exist: it begins where it would end.
        assert start == zone.midnight(date(2011, 12, 31))
        return
    assert zone.datetime(start).date() == day
    assert zone.datetime(start - 1).date() < day


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/London", date(2021, 3, 28), 23),
        ("Europe/London", date(2021, 10, 31), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2019, 2, 16), 25),
        ("Australia/Lord_Howe", date(2021, 4, 4), 24.5),
        ("Australia/Lord_Howe", date(2021, 10, 3), 23.5),
        ("Asia/Kathmandu", date(2021, 3, 28), 24),
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ],
)
def test_length_of_days(name: str, day: date, hours: float) -> None:
    """Days have the hours that the zone gives them."""
    zone = Zone.named(name)

    assert zone.midnight(day + timedelta(1)) - zone.midnight(day) == hours * 3600


@given(st.integers(-40_000, 80_000))
def test_day_numbers(number: int) -> None:
    """Days and their numbers are the same thing."""
    assert day_number(day_of(number)) == number


@pytest.mark.parametrize(
    ("name", "seconds"), [("+00:00", 0), ("-03:00", -10_800), ("+05:45", 20_700)]
)
def test_fixed_offsets(name: str, seconds: int) -> None:
    """A fixed offset is a zone too."""
    assert Zone.named(name).offsets(np.array([0, 10 * DAY])).tolist() == [seconds, seconds]


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "America", "+25:00", "+5", "../etc", "/etc/passwd", "a" * 300, "\0"]
)
def test_unknown_zones(name: str) -> None:
    """What is no zone is refused by name."""
    with pytest.raises(UnknownZone):
        Zone.named(name)


@pytest.mark.parametrize(
    "name", ["localtime", "Factory", "posixrules", "posix/Europe/London", "right/Europe/London"]
)
def test_files_of_the_machine(name: str) -> None:
    """Only names of the IANA database are zones, not what else a machine's files have."""
    with pytest.raises(UnknownZone):
        Zone.named(name)


@pytest.mark.parametrize("name", ["UTC", "Etc/GMT+3", "America/Buenos_Aires", "Asia/Calcutta"])
def test_old_spellings(name: str) -> None:
    """Old spellings and fixed zones of the IANA database are zones."""
    assert Zone.named(name).name == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("UTC", "2026-03-01T12:00:00Z"),
        ("+00:00", "2026-03-01T12:00:00Z"),
        ("Europe/London", "2026-03-01T12:00:00Z"),
        ("America/Sao_Paulo", "2026-03-01T09:00:00-03:00"),
        ("+05:45", "2026-03-01T17:45:00+05:45"),
    ],
)
def test_text(name: str, text: str) -> None:
    """An instant is written with its offset, and no offset as `Z`, in every zone."""
    zone = Zone.named(name)
    instant = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())

    assert zone.text(instant) == text
    assert unstructure(zone.datetime(instant)) == text


def test_no_instants() -> None:
    """Nothing in, nothing out."""
    nothing = np.zeros(0, np.int64)

    assert len(Zone.named("UTC").offsets(nothing)) == 0
    assert [len(part) for part in Zone.named("UTC").instants(nothing)] == [0, 0, 0]


def changes(name: str) -> list[int]:
    """Return when a zone changes its offset after 1900: read from its TZif file (RFC 8536)."""
    data = files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    *counts, times, types, letters = struct.unpack_from(">20x6l", data)
    skip = 44 + times * 5 + types * 6 + letters + counts[2] * 8 + counts[1] + counts[0]
    *_, times, types, _ = struct.unpack_from(">20x6l", data, skip)
    at = struct.unpack_from(f">{times}q", data, skip + 44)
    kinds = data[skip + 44 + 8 * times :][:times]
    offsets = struct.iter_unpack(">lbb", data[skip + 44 + 9 * times :][: 6 * types])
    by_kind = [offset for offset, _, _ in offsets]
    known = [(when, by_kind[kind]) for when, kind in zip(at, kinds, strict=True)]
    changed = [b[0] for a, b in pairwise(known) if a[1] != b[1]]
    return [when for when in changed if when > FIRST]


def test_no_zone_changes_twice_within_a_step() -> None:
    """A scan by steps sees every change: no two changes of a zone are within one step."""
    names = files("tzdata").joinpath("zones").read_text().split()
    gaps = [b - a for name in names for a, b in pairwise(changes(name))]

    assert min(gaps) > STEP


@pytest.mark.parametrize(
    ("text", "seconds"), [("PT15M", 900), ("PT1H", 3600), ("PT90S", 90), ("PT1H30M", 5400)]
)
def test_durations(text: str, seconds: int) -> None:
    """Durations are read as seconds."""
    assert length_of(text) == seconds


@given(st.integers(0, 10**6))
def test_duration_texts(seconds: int) -> None:
    """The text of a duration is read as the same duration."""
    assert length_of(length_text(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "PT", "P1D", "15M", "PT-5M", "PT1.5H", "pt1h", "PT1M1H"])
def test_bad_durations(text: str) -> None:
    """What is no short duration is refused."""
    with pytest.raises(BadDuration):
        length_of(text)


@pytest.mark.parametrize("text", ["PT25H", "PT0S", "P2D", "P1W", "x"])
def test_bad_windows(text: str) -> None:
    """Windows are up to a day, or one day, month or year."""
    with pytest.raises(BadDuration):
        Granularity.parse(text)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.timezones()))
def test_instants_of_moments(moment: datetime) -> None:
    """The instant of a moment is its second, before 1970 too, whatever its zone."""
    second = moment.astimezone(UTC).replace(microsecond=0)

    assert utc(instant_of(moment)) == second
    assert utc_text(instant_of(moment)) == f"{second:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")


@given(st.timedeltas(timedelta(0), timedelta(days=99_999)))
def test_duration_there_and_back(duration: timedelta) -> None:
    """A duration is read as it was written, and its length is its whole seconds."""
    assert duration_of(duration_text(duration)) == duration
    assert 0 <= duration.total_seconds() - seconds_in(duration) < 1


@pytest.mark.parametrize("text", ["", "P", "PT", "P1M", "P1Y", "1D", "P1DT", "PT1M1H", "pt1m"])
def test_durations_without_a_length(text: str) -> None:
    """Months and years have no fixed length, and what is not ISO 8601 is refused."""
    with pytest.raises(BadDuration):
        duration_of(text)


@pytest.mark.parametrize("name", NAMES)
def test_many_moments_are_those_of_each(name: str) -> None:
    """The local times of many instants are those of each, with the same offsets."""
    zone = Zone.named(name)
    instants = np.concatenate(
        [np.arange(1_700_000_000, 1_800_000_000, 7_654_321), [-2_208_988_799, -1, 7_258_118_399]]
    )

    found = zone.datetimes(instants)

    assert [each.isoformat() for each in found] == [
        zone.datetime(instant).isoformat() for instant in instants.tolist()
    ]
