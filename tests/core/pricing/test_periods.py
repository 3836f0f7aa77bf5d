"""The usage of windows by the periods of a tariff."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.errors import Invalid
from energia.metering.series import MISSING, NEVER_SENT, Series
from energia.pricing.periods import ByPeriod, by_period
from energia.pricing.tariffs import Tariff
from tests.core.pricing import oracle
from tests.core.pricing.documents import document, instant, read, series, tariff

EVENING = {"period": "peak", "from": "17:30", "to": "20:30"}
PEAK = {"default": "off", "rules": [EVENING]}
KWH = 1_000_000


def by_time(schedule: dict[str, Any] = PEAK, **fields: Any) -> dict[str, Any]:
    """Return a charge by the periods of a schedule."""
    names = dict.fromkeys([rule["period"] for rule in schedule["rules"]] + [schedule["default"]])
    return {
        "kind": "energy.time_of_use",
        "schedule": schedule,
        "rates": dict.fromkeys(names, "1"),
        **fields,
    }


def split(
    usage: Series, tariff: Tariff, cuts: Sequence[int] = (), charge: str | None = None
) -> ByPeriod:
    """Split import by the periods, in one window unless cut."""
    at = np.array([0, *cuts, len(usage.values)], np.int64)
    return by_period(usage, at, tariff, "import", charge)


def refused(usage: Series, tariff: Tariff, charge: str | None = None) -> list[tuple[str, str]]:
    """Return the faults of what cannot be split."""
    with pytest.raises(Invalid) as error:
        split(usage, tariff, charge=charge)
    return [(fault.code, fault.message) for fault in error.value.faults]


@pytest.mark.parametrize(
    ("start", "hours"),
    [
        ("2026-03-02T00:00:00+01:00", 24),
        ("2026-03-29T00:00:00+01:00", 23),
        ("2026-10-25T00:00:00+02:00", 25),
    ],
)
def test_a_day_has_three_hours_of_peak(start: str, hours: int) -> None:
    """On days of 23 and 25 hours too: the rest is the other period's."""
    usage = series(start, 1800, [KWH] * 2 * hours)

    found = split(usage, tariff([by_time()], "Europe/Berlin"))

    assert found.windows == ({"off": 2 * (hours - 3) * KWH, "peak": 6 * KWH},)
    assert found.assumptions == ()


def test_periods_are_on_the_clock_of_the_tariff() -> None:
    """Half past five in São Paulo is half past eight in the evening in UTC."""
    usage = series("2026-03-02T00:00:00Z", 1800, list(range(48)))

    found = split(usage, tariff([by_time()], "America/Sao_Paulo"))

    peak = sum(range(41, 47))
    assert found.windows == ({"off": sum(range(48)) - peak, "peak": peak},)


def test_a_period_without_a_slot_is_left_out() -> None:
    """A window has the periods that it has a slot in; one without slots has none."""
    usage = series("2026-03-02T17:00:00Z", 1800, [1, 2, 3, 4])

    found = split(usage, tariff([by_time()]), [1, 3, 3])

    assert found.windows == ({"off": 1}, {"peak": 5}, {}, {"peak": 4})


def test_missing_slots_are_left_out() -> None:
    """A period all of whose slots are missing is there, with nothing."""
    usage = series("2026-03-02T17:00:00Z", 1800, [1, MISSING, MISSING])

    assert split(usage, tariff([by_time()])).windows == ({"off": 1, "peak": 0},)


def test_sums_are_exact_beyond_64_bits() -> None:
    """The largest values that can be stored, many of them."""
    most = 2**62
    usage = series("2026-03-02T17:00:00Z", 1800, [-most, *[most] * 6])

    assert split(usage, tariff([by_time()])).windows == ({"off": -most, "peak": 6 * most},)


def test_a_slot_is_in_the_period_at_its_start() -> None:
    """An hour that begins at five is not in the peak that begins at half past."""
    usage = series("2026-03-02T17:00:00Z", 3600, [1, 2, 4, 8])

    found = split(usage, tariff([by_time()]))

    assert found.windows == ({"off": 1, "peak": 14},)
    assert [(one.code, one.slots) for one in found.assumptions] == [("boundary_inside_interval", 2)]


def versions(*charges: dict[str, Any], zone: str = "UTC") -> Tariff:
    """Return a tariff whose versions change on March 3 and 4."""
    days = ["2026-01-01", "2026-03-03", "2026-03-04", None]
    spans = list(pairwise(days))[: len(charges)]
    made = [
        {"valid_from": first, "valid_to": last, "charges": [charge]}
        for (first, last), charge in zip(spans, charges, strict=True)
    ]
    return read(document([], zone) | {"versions": made[::-1]})


def test_versions_change_inside_a_window() -> None:
    """Each slot is of the version at its start, which has its own schedule and names."""
    other = {"default": "day", "rules": [{"period": "peak", "from": "00:00", "to": "01:00"}]}
    usage = series("2026-03-02T23:30:00Z", 3600, [1, 2, 4])

    found = split(usage, versions(by_time(), by_time(other)))

    assert found.windows == ({"off": 1, "peak": 2, "day": 4},)
    assert [(one.code, one.slots) for one in found.assumptions] == [
        ("boundary_inside_interval", 1),  # 00:30 to 01:30 has the end of the peak inside
        ("boundary_inside_interval", 1),  # 23:30 to 00:30 has the new version inside
    ]


def test_a_version_begins_at_midnight_of_the_tariff() -> None:
    """Not at that of the meter or of UTC."""
    other = {"default": "new", "rules": []}
    usage = series("2026-03-03T00:00:00Z", 3600, [1] * 5)

    found = split(usage, versions(by_time(), by_time(other), zone="America/Sao_Paulo"))

    assert found.windows == ({"off": 3, "new": 2},)


def test_no_version_is_in_force() -> None:
    """The first slot that has none is named."""
    usage = series("2026-03-02T23:00:00Z", 3600, [1, 2])
    closed = versions(by_time())

    ((code, message),) = refused(usage, closed)

    assert code == "no_version_in_force"
    assert "2026-03-03T00:00:00Z" in message


def test_charges_with_different_schedules_are_ambiguous() -> None:
    """A charge must be named; charges that share a schedule need not."""
    other = {"default": "day", "rules": []}
    usage = series("2026-03-02T17:00:00Z", 1800, [1, 2])
    mixed = tariff([by_time(code="a"), by_time(code="b"), by_time(other, code="c")])
    shared = tariff([by_time(code="a"), by_time(code="b", rates={"peak": "2", "off": "3"})])

    assert [code for code, _ in refused(usage, mixed)] == ["ambiguous_schedule"]
    assert split(usage, mixed, charge="b").windows == ({"off": 1, "peak": 2},)
    assert split(usage, mixed, charge="c").windows == ({"day": 3},)
    assert split(usage, shared).windows == ({"off": 1, "peak": 2},)


def test_a_schedule_of_another_channel_is_none() -> None:
    """The periods are those of the charges of the role."""
    usage = series("2026-03-02T17:00:00Z", 1800, [1, 2])
    export = tariff([by_time(channel="export"), {"kind": "energy.flat", "rate": "1"}])

    assert [code for code, _ in refused(usage, export)] == ["no_schedule"]
    assert [code for code, _ in refused(usage, export, "energy.flat")] == ["no_schedule"]
    assert [code for code, _ in refused(usage, export, "x")] == ["unknown_charge"]


def test_faults_of_all_versions_are_told() -> None:
    """Each names the version."""
    usage = series("2026-03-02T17:00:00Z", 3600, [1] * 24)
    both = versions({"kind": "energy.flat", "rate": "1"}, {"kind": "energy.flat", "rate": "2"})

    assert [message[:28] for _, message in refused(usage, both)] == [
        "the version of 2026-01-01 ha",
        "the version of 2026-03-03 ha",
    ]


def test_without_a_slot_there_is_nothing() -> None:
    """A window that no slot starts in needs no version."""
    empty = series("2000-01-01T00:00:00Z", 3600, [])

    assert split(empty, versions(by_time())).windows == ({},)


@given(
    zone=st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe"]),
    start=st.integers(instant("2018-10-01T00:00:00Z") // 60, instant("2019-05-01T00:00:00Z") // 60),
    interval=st.sampled_from([900, 1800, 3600]),
    values=st.lists(st.one_of(st.none(), st.integers(-9, 10**9)), min_size=1, max_size=200),
    cuts=st.lists(st.integers(0, 200), max_size=4),
    change=st.dates(date(2018, 10, 1), date(2019, 5, 1)).map(str),
)
def test_sums_are_those_of_a_slot_by_slot_loop(
    zone: str, start: int, interval: int, values: list[int | None], cuts: list[int], change: str
) -> None:
    """A dictionary filled slot by slot with zoneinfo; and the periods of a window sum to it."""
    night = {"default": "off", "rules": [{"period": "night", "from": "22:15", "to": "06:00"}]}
    made = [
        {"valid_from": "1990-01-01", "valid_to": change, "charges": [by_time()]},
        {"valid_from": change, "charges": [by_time(night)]},
    ]
    usage = series(start * 60, interval, [MISSING if one is None else one for one in values])
    edges = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]

    found = split(usage, read(document([], zone) | {"versions": made}), edges[1:-1])

    begins = oracle.midnight(zone, change)
    expected = []
    for first, past in pairwise(edges):
        sums: dict[str, int] = defaultdict(int)
        for at, value in list(zip(usage.starts.tolist(), values, strict=True))[first:past]:
            schedule = PEAK if at < begins else night
            sums[oracle.period_at(schedule, {}, zone, at)] += value or 0
        expected.append(dict(sums))
    assert list(found.windows) == expected


def test_never_sent_and_missing_are_alike() -> None:
    """What is known of a slot without a value does not matter."""
    usage = series("2026-03-02T17:00:00Z", 1800, [1, MISSING])
    never = attrs.evolve(usage, quality=np.array([1, NEVER_SENT], np.int8))

    assert split(usage, tariff([by_time()])) == split(never, tariff([by_time()]))
