"""A tariff as a person reads it: its week, its charges in words, what its versions change."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.plugins import Plugins
from energia.pricing.charges import Charge
from energia.pricing.schedule import DayTypes, Schedule
from energia.time import day_number
from energia_plugins.console.tariff.rates import charged
from energia_plugins.console.tariff.versions import changes
from energia_plugins.console.tariff.week import MINUTES, Kind, Part, finest, schedules, weeks
from energia_plugins.console.words import words
from tests.core.pricing.documents import CONVERTER

_CHARGES = Plugins.installed().charges()
EN, PT = words("en"), words("pt-BR")


def spans(part: Part, row: int) -> list[tuple[int, int, str]]:
    """Return the periods of a kind of day, in hours."""
    return [(one.start // 60, one.end // 60, one.period) for one in part.rows[row].spans]


def test_a_week_with_an_evening_peak() -> None:
    """On working days; the weekend and holidays have none, and all of the year is one."""
    schedule = {
        "default": "off",
        "rules": [{"period": "peak", "days": ["weekday"], "from": "18:00", "to": "21:00"}],
    }
    (part,) = weeks(schedule, {"holidays": ["2026-01-01"]}, 2026)

    assert part.ranges == ()
    assert spans(part, 0) == [(0, 18, "off"), (18, 21, "peak"), (21, 24, "off")]
    assert spans(part, 5) == [(0, 24, "off")]
    assert part.rows[7].kind == Kind(2, "holiday")
    assert spans(part, 7) == [(0, 24, "off")]
    assert [len(kinds) for kinds, _ in part.alike()] == [5, 3]


def test_a_window_over_midnight_is_of_the_day_on_which_it_begins() -> None:
    """Saturday's night ends on Sunday morning; Sunday has none of its own."""
    rules = [{"period": "night", "days": ["sat"], "from": "22:00", "to": "06:00"}]
    (part,) = weeks({"default": "day", "rules": rules}, {}, 2026)

    assert spans(part, 5) == [(0, 22, "day"), (22, 24, "night")]
    assert spans(part, 6) == [(0, 6, "night"), (6, 24, "day")]
    assert len(part.rows) == 7


def test_seasons_are_parts_of_the_year() -> None:
    """One that runs over the end of the year is told as one range."""
    season = {"from": "10-01", "to": "03-31"}
    rules = [{"period": "peak", "from": "16:00", "to": "20:00", "season": season}]
    winter, summer = weeks({"default": "off", "rules": rules}, {}, 2026)

    assert winter.ranges == ((date(2026, 10, 1), date(2026, 3, 31)),)
    assert summer.ranges == ((date(2026, 4, 1), date(2026, 9, 30)),)
    assert winter.periods == ["off", "peak"]


_CLOCKS = st.sampled_from(["00:00", "06:30", "12:00", "17:00", "22:15"])
_SEASONS = st.sampled_from(
    [
        None,
        {"from": "10-01", "to": "03-31"},
        {"from": "last_sun_mar", "until": "last_sun_oct"},
        {"from": "second_mon_jan", "to": "06-30"},
        {"from": "02-29", "to": "07-01"},
    ]
)
_DAYS = st.lists(
    st.sampled_from(["weekday", "weekend", "all", "mon", "wed", "sun"]), min_size=1, max_size=2
)


@st.composite
def schedules_of_rules(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a schedule of some rules."""
    rules = []
    for number in range(draw(st.integers(0, 4))):
        start, end = draw(_CLOCKS), draw(_CLOCKS)
        if start != end:
            rule = {"period": f"r{number}", "days": draw(_DAYS), "from": start, "to": end}
            season = draw(_SEASONS)
            rules.append(rule if season is None else {**rule, "season": season})
    return {"default": "rest", "rules": rules}


@given(schedules_of_rules(), st.integers(0, 363))
def test_the_week_is_that_of_the_engine(schedule: dict[str, Any], offset: int) -> None:
    """Any day of a year has the periods that prices are made by, where the day before is alike."""
    day = date(2026, 1, 2) + timedelta(days=offset)
    parts = weeks(schedule, {}, 2026)
    found = [part for part in parts if not part.ranges or _within(part, day)]
    before = [part for part in parts if not part.ranges or _within(part, day - timedelta(days=1))]
    if found != before:
        return  # a window of the other season ends in the morning
    compiled = CONVERTER.structure(schedule, Schedule)
    numbers = np.array([day_number(day - timedelta(days=1)), day_number(day)], np.int64)
    matches = compiled.matches(DayTypes().days(numbers))
    (part,) = found
    for span in part.rows[day.weekday()].spans:
        for minute in (span.start, span.end - 1):
            assert span.period == _period(compiled, matches, minute)


def _within(part: Part, day: date) -> bool:
    return any(
        first <= day <= last if first <= last else day >= first or day <= last
        for first, last in part.ranges
    )


def _period(schedule: Schedule, matches: Any, minute: int) -> str | None:
    """Return the period of a minute, as the engine has it: the first rule that matches."""
    for index, rule in enumerate(schedule.rules):
        today, tomorrow = rule.minutes
        if matches[1, index] and today.start <= minute < today.stop:
            return rule.period
        if matches[0, index] and tomorrow.start <= minute < tomorrow.stop:
            return rule.period
    return schedule.default


def test_every_day_is_whole() -> None:
    """Spans follow each other from midnight to midnight."""
    (part,) = weeks({"default": "x", "rules": []}, {}, 2026)

    assert all(row.spans[0].start == 0 and row.spans[-1].end == MINUTES for row in part.rows)


def test_charges_with_one_schedule_are_told_together() -> None:
    """One that a contract gives is not there to be shown."""
    schedule = {"default": "a", "rules": []}
    charges = [
        {"kind": "energy.time_of_use", "schedule": schedule},
        {"kind": "reactive", "schedule": {"default": "a"}},
        {"kind": "demand", "schedule": {"parameter": "hours"}},
        {"kind": "fixed"},
    ]
    (found,) = schedules({"charges": charges})

    assert [charge["kind"] for charge in found[1]] == ["energy.time_of_use", "reactive"]


@pytest.mark.parametrize(
    ("to", "slots"), [("21:00", None), ("20:30", "PT30M"), ("20:45", "PT15M"), ("20:10", "PT15M")]
)
def test_prices_ahead_are_by_slots_of_one_period(to: str, slots: str | None) -> None:
    """Hours, unless a period ends within one; a quarter of an hour at least."""
    rules = [{"period": "peak", "from": "18:00", "to": to}]
    charge = {"kind": "energy.time_of_use", "schedule": {"default": "off", "rules": rules}}

    assert finest({"charges": [charge]}) == slots


@pytest.mark.parametrize(
    ("charge", "rates"),
    [
        (
            {"kind": "energy.flat", "rate": "0.15"},
            [("price", "0.15", "GBP/kWh")],
        ),
        (
            {"kind": "energy.flat", "components": {"te": "0.30", "tusd": "0.50"}},
            [("TE", "0.30", "GBP/kWh"), ("TUSD", "0.50", "GBP/kWh")],
        ),
        (
            {"kind": "energy.time_of_use", "rates": {"peak": "0.4", "off_peak": "0.2"}},
            [("peak", "0.4", "GBP/kWh"), ("off-peak", "0.2", "GBP/kWh")],
        ),
        (
            {"kind": "energy.tiered", "tiers": [{"up_to": "400", "rate": "0.1"}, {"rate": "0.2"}]},
            [("up to 400 kWh", "0.1", "GBP/kWh"), ("beyond that", "0.2", "GBP/kWh")],
        ),
        (
            {"kind": "fixed", "amount": "14.00", "per": "month"},
            [("amount", "14.00", "GBP a month")],
        ),
        (
            {"kind": "demand.contracted", "contracted": "30", "rate": "18.42"},
            [("contracted", "30", "kW"), ("price", "18.42", "GBP/kW")],
        ),
        (
            {
                "kind": "adjustment.calendar",
                "ranges": [{"name": "Vermelha_P1", "from": "2026-10-01", "rate": "0.04463"}],
            },
            [("Vermelha P1, from 1\xa0Oct\xa02026", "0.04463", "GBP/kWh")],
        ),
        (
            {"kind": "tax", "taxes": [{"name": "vat", "rate": "0.21"}]},
            [("VAT", "21.00%", "")],
        ),
        (
            {"kind": "energy.flat", "rate": {"parameter": "agreed"}},
            [("price", "as the contract says (agreed)", "GBP/kWh")],
        ),
    ],
)
def test_prices_in_words(charge: dict[str, Any], rates: list[tuple[str, str, str]]) -> None:
    """Each kind of charge has its prices as rows: of what, how much, for which unit."""
    found = charged(EN, "GBP", charge)

    assert [(rate.what, rate.price, rate.unit) for rate in found.rates] == rates
    assert found.others == ()


@pytest.mark.parametrize("kind", sorted(_CHARGES))
def test_every_kind_of_charge_can_be_read(kind: str) -> None:
    """Whatever its examples say is a price or is told beside it, in both languages."""
    for example in _CHARGES[kind].examples:
        stored = CONVERTER.unstructure(CONVERTER.structure(dict(example), Charge))
        for each in (EN, PT):
            found = charged(each, "GBP", stored)
            assert found.rates or found.others
            assert changes(each, version(stored), version(stored)) == []


@pytest.mark.parametrize("kind", sorted(_CHARGES))
def test_any_part_of_a_charge_may_be_a_parameter(kind: str) -> None:
    """A contract may give what a tariff leaves open: it is told, wherever it stands."""
    for example in _CHARGES[kind].examples:
        for asking in _with_parameters(dict(example)):
            said = asking if asking.get("kind") == kind else {**asking, "kind": kind}
            charged(EN, "GBP", said)
            assert changes(EN, version(said), version(dict(example))) != []
            for schedule, _ in schedules(version(said)):
                assert weeks(schedule, {}, 2026)


def _with_parameters(value: Any) -> Iterator[Any]:
    """Yield a document with each of its parts in turn as a parameter."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in parts:
        if name in ("kind", "code", "name", "period", "description"):
            continue
        inner = _with_parameters(part) if isinstance(part, dict | list) else ()
        for changed in [{"parameter": "x"}, *inner]:
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[name] = changed
            yield copy


def test_what_has_no_row_is_shown_all_the_same() -> None:
    """Of a kind that nobody knows here every field is told."""
    found = charged(EN, "GBP", {"kind": "acme.levy", "levy": {"rate": "1", "days": ["mon", "tue"]}})

    assert (found.title, found.rates) == ("acme.levy", ())
    assert found.others == (("levy · price", "1"), ("levy · days", "mon, tue"))


def version(*charges: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a version of a tariff."""
    return {"valid_from": "2026-01-01", "charges": list(charges), **fields}


def test_what_a_version_changes() -> None:
    """A price with by how much; the same number written otherwise is no change."""
    use = {"kind": "energy.time_of_use", "code": "use", "description": "Energy"}
    before = version({**use, "rates": {"peak": "0.40", "off_peak": "0.20"}})
    after = version({**use, "rates": {"peak": "0.50", "off_peak": "0.2"}})
    (found,) = changes(EN, before, after)

    assert (found.where, found.old, found.new) == ("Energy · peak", "0.40", "0.50")
    assert found.percent == Decimal("0.25")
    assert changes(PT, before, after)[0].where == "Energy · ponta"


def test_charges_that_come_and_go() -> None:
    """A charge is known by its code; holidays are told by how many they are."""
    before = version({"kind": "fixed", "amount": "1", "per": "day"}, holidays=["2026-01-01"])
    after = version({"kind": "energy.flat", "rate": "1"}, holidays=[])
    found = [(one.where, one.old, one.new) for one in changes(EN, before, after)]

    assert found == [
        ("holidays", "1", "0"),
        ("Energy, the same price at all times", None, "added"),
        ("A fixed amount", "taken away", None),
    ]


def test_hours_that_move_are_a_change() -> None:
    """A rule that has nothing but its hours is told by them."""
    use = {"kind": "energy.time_of_use", "code": "use", "description": "Energy"}

    def at(start: str, end: str) -> dict[str, Any]:
        rules = [{"period": "peak", "from": start, "to": end}]
        return version({**use, "schedule": {"default": "off", "rules": rules}})

    found = changes(EN, at("18:00", "21:00"), at("17:00", "20:00"))

    assert [(one.where, one.old, one.new) for one in found] == [
        ("Energy · periods · rules · peak, 17:00 20:00", None, "yes"),
        ("Energy · periods · rules · peak, 18:00 21:00", "yes", None),
    ]


def test_an_entry_that_follows_others_is_the_only_change() -> None:
    """Entries of a list go by what they are called and their dates, not by their place."""
    old = {"name": "a", "from": "2026-01-01", "to": "2026-02-01", "rate": "1"}
    new = {"name": "b", "from": "2025-12-01", "to": "2026-01-01", "rate": "2"}
    kind = {"kind": "adjustment.calendar", "description": "Flag"}
    before, after = version({**kind, "ranges": [old]}), version({**kind, "ranges": [new, old]})
    (found,) = changes(EN, before, after)

    assert found.where == "Flag · b, 1\u00a0Dec\u00a02025 to 31\u00a0Dec\u00a02025 · price"
    assert (found.old, found.new) == (None, "2")
