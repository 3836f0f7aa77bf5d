"""What holds for every tariff, window and zone: the engine against brute force."""

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energia.metering.series import BOUND
from energia.pricing.calendar import Grid, compiled
from energia.pricing.engine import price
from energia.pricing.schedule import Schedule
from energia.time import DAY, Zone
from tests.core.pricing import oracle
from tests.core.pricing.documents import CONVERTER, document, exact_total, read, series, utc

ZONES = (
    "UTC",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Europe/London",
    "America/New_York",
    "America/Havana",
    "Pacific/Apia",
    "Africa/Casablanca",
)
PERIODS = ("low", "middle", "peak")
UNROUNDED = {"amount_decimals": None}

times = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
dates = st.dates(min_value=date(2012, 1, 1), max_value=date(2012, 12, 31))
month_days = dates.map(lambda day: f"{day:%m-%d}")
seasons = st.fixed_dictionaries({"from": month_days, "to": month_days})
kinds = st.sampled_from(("weekday", "weekend", "holiday", "all", *oracle.NAMES))
rates = st.decimals(-10, 10, places=5).map(str)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a rule; its window may cross midnight."""
    first = draw(times)
    rule = {
        "period": draw(st.sampled_from(PERIODS)),
        "days": draw(st.lists(kinds, min_size=1, max_size=3, unique=True)),
        "from": first,
        "to": draw(st.one_of(times.filter(lambda last: last != first), st.just("24:00"))),
    }
    return rule | draw(st.one_of(st.just({}), st.fixed_dictionaries({"season": seasons})))


@st.composite
def schedules(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a schedule with a default."""
    return {
        "default": draw(st.sampled_from(PERIODS)),
        "rules": draw(st.lists(rules(), max_size=4)),
        "clock": draw(st.sampled_from(("local", "local", "+00:00", "-03:30", "+05:45"))),
    }


@st.composite
def tariffs(draw: st.DrawFn, start: int, prorations: tuple[str, ...]) -> dict[str, Any]:
    """Draw a tariff with a charge of each kind, with holidays near an instant."""
    schedule = draw(schedules())
    given = {rule["period"] for rule in schedule["rules"]} | {schedule["default"]}
    near = st.integers(-2, 6).map(lambda days: utc(start + days * DAY).date().isoformat())
    charges: list[dict[str, Any]] = [
        {
            "kind": "energy.time_of_use",
            "schedule": schedule,
            "rates": {period: draw(rates) for period in sorted(given)},
        },
        {"kind": "energy.flat", "rate": draw(rates)},
        {
            "kind": "fixed",
            "amount": draw(rates),
            "per": draw(st.sampled_from(("day", "month", "year"))),
            "proration": draw(st.sampled_from(prorations)),
        },
    ]
    return document(
        charges,
        draw(st.sampled_from(ZONES)),
        holidays=draw(st.lists(near, max_size=3, unique=True)),
        weekend_days=draw(st.lists(st.sampled_from(oracle.NAMES), max_size=3, unique=True)),
        rounding=UNROUNDED,
    )


PRORATIONS = ("month_days", "annual_days", "none")
intervals = st.sampled_from((300, 900, 1800, 3600))
values = st.integers(-BOUND, BOUND)
# Days on which many of the zones change their clocks are drawn often.
changes = st.sampled_from(
    [
        oracle.utc(text)
        for text in (
            "2018-11-03T12:00",
            "2019-02-16T12:00",
            "2018-10-06T12:00",
            "2019-04-06T06:00",
            "2021-03-27T18:00",
            "2021-10-30T18:00",
            "2021-03-13T20:00",
            "2011-12-29T12:00",
            "2018-10-28T00:00",
        )
    ]
)
anywhen = st.integers(oracle.utc("2009-01-01") // 60, oracle.utc("2022-01-01") // 60)
starts = st.one_of(changes, anywhen.map(lambda minute: minute * 60))


def check(body: Mapping[str, Any], start: int, interval: int, numbers: list[int]) -> None:
    """Compare the engine with brute force, the total and the count of split slots."""
    at = [start + index * interval for index in range(len(numbers))]
    end = start + interval * len(numbers)

    cost = price(read(body), {"import": series(start, interval, numbers)}, start, end)

    (version,) = body["versions"]
    assert exact_total(cost) == oracle.cost(body, at, numbers, end)
    assert Fraction(cost.total) == sum(Fraction(line.amount) for line in cost.lines)
    schedule = version["charges"][0]["schedule"]
    assert calendar_split(body, start, interval, len(numbers)) == oracle.split_slots(
        schedule, version, body["timezone"], at, interval
    )


def calendar_split(body: Mapping[str, Any], start: int, interval: int, count: int) -> int:
    """Return how many slots the compiled calendar finds to have a boundary inside."""
    tariff = read(body)
    (version,) = body["versions"]
    schedule = CONVERTER.structure(version["charges"][0]["schedule"], Schedule)
    grid = Grid(start, interval, count)
    return compiled(schedule, tariff.versions[0].types, tariff.zone, grid).split


@given(st.data(), starts, intervals)
def test_agrees_with_a_loop_of_fractions(data: st.DataObject, start: int, interval: int) -> None:
    """Any tariff over any window in any zone costs what a loop over datetimes says."""
    body = data.draw(tariffs(start, PRORATIONS))
    numbers = data.draw(st.lists(values, min_size=1, max_size=120))

    check(body, start, interval, numbers)


@pytest.mark.parametrize("interval", [300, 900, 1800, 3600])
@pytest.mark.parametrize("clock", ["local", "+00:00"])
@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("America/Sao_Paulo", "2018-11-02T03:00"),  # midnight of the 4th does not exist
        ("America/Sao_Paulo", "2019-02-15T02:00"),  # the 16th has 25 hours
        ("Australia/Lord_Howe", "2018-10-05T13:30"),  # the clock moves by half an hour
        ("Australia/Lord_Howe", "2019-04-05T13:00"),
        ("Asia/Kathmandu", "2019-05-01T18:15"),  # local hours begin at :15 UTC
        ("Europe/London", "2021-03-27T00:00"),
        ("Europe/London", "2021-10-29T23:00"),
        ("America/Havana", "2019-11-02T04:00"),  # midnight comes twice
        ("Pacific/Apia", "2011-12-28T10:00"),  # 30 December does not exist
    ],
)
def test_agrees_where_clocks_change(zone: str, start: str, clock: str, interval: int) -> None:
    """Three days around a change of the clock cost what a loop over datetimes says."""
    rules = [
        {"period": "peak", "days": ["weekday"], "from": "17:30", "to": "20:30"},
        {"period": "low", "days": ["sat"], "from": "22:10", "to": "01:20"},
        {"period": "low", "days": ["sun", "holiday"], "from": "00:00", "to": "06:00"},
    ]
    schedule = {"default": "middle", "rules": rules, "clock": clock}
    table = {"low": "0.11", "middle": "0.37", "peak": "1.93"}
    charges: list[dict[str, Any]] = [
        {"kind": "energy.time_of_use", "schedule": schedule, "rates": table},
        {"kind": "fixed", "amount": "0.47", "per": "day"},
    ]
    body = document(charges, zone, holidays=["2021-10-31"], rounding=UNROUNDED)
    first = oracle.utc(start)
    numbers = [10**6 + 7919 * index for index in range(3 * DAY // interval)]

    check(body, first, interval, numbers)


@given(st.data(), st.sampled_from(ZONES), st.dates(date(2010, 1, 1), date(2021, 1, 1)))
def test_a_window_may_be_split_at_any_midnight(data: st.DataObject, zone: str, day: date) -> None:
    """What is not rounded adds up, wherever the local midnight is at which a window is cut."""
    midnights = [Zone.named(zone).midnight(day + timedelta(days=number)) for number in range(5)]
    body = data.draw(tariffs(midnights[0], ("month_days", "annual_days"))) | {"timezone": zone}
    tariff = read(body)
    cut = data.draw(st.sampled_from(midnights[1:-1]))
    start, end = midnights[0], midnights[-1]
    numbers = data.draw(st.lists(values, min_size=20, max_size=20))
    slots = (end - start) // 900
    usage = {"import": series(start, 900, (numbers * (slots // 20 + 1))[:slots])}

    parts = [
        price(tariff, usage, *part) for part in ((start, cut), (cut, end)) if part[0] < part[1]
    ]
    whole = price(tariff, usage, start, end)

    assert sum(exact_total(part) for part in parts) == exact_total(whole)


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=48),
    st.sampled_from(("half_up", "half_even", "down")),
    st.sampled_from(("line", "total")),
    st.integers(0, 6),
    st.one_of(st.none(), st.integers(0, 6)),
)
@settings(deadline=None)
def test_the_lines_sum_to_the_total(
    numbers: list[int], mode: str, level: str, amount: int, unit_price: int | None
) -> None:
    """However a tariff rounds, the amounts of the lines sum to the total, in its decimals."""
    rounding = {
        "amount_decimals": amount,
        "unit_price_decimals": unit_price,
        "mode": mode,
        "level": level,
    }
    charges: list[dict[str, Any]] = [
        {"kind": "energy.flat", "components": {"te": "0.123456", "tusd": "-0.0778"}},
        {"kind": "fixed", "amount": "1", "per": "month"},
    ]
    start = oracle.utc("2021-05-05")
    usage = {"import": series(start, 3600, numbers)}

    cost = price(
        read(document(charges, rounding=rounding)), usage, start, start + 3600 * len(numbers)
    )

    assert sum(Fraction(line.amount) for line in cost.lines) == Fraction(cost.total)
    assert len(cost.total.partition(".")[2]) == amount
