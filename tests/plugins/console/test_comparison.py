"""What a comparison is made of: months, shifted readings, lines by what they charge, names."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.dates import month_after
from energia_plugins.console.comparison.answer import short_names
from energia_plugins.console.comparison.asked import Window, with_readings
from energia_plugins.console.comparison.costs import Difference, Priced, parameters_in
from energia_plugins.console.comparison.drivers import drivers, why
from energia_plugins.console.comparison.pictures import bar, cut
from energia_plugins.console.comparison.shifting import Change, Curve, change, curve, moved
from energia_plugins.console.words import words


def month(start: str, missing: int) -> dict[str, Any]:
    """Return the usage of a month of which so many slots of a hundred are missing."""
    coverage = {"expected": 100, "missing": missing}
    return {"start": f"{start}-01T00:00:00Z", "coverage": coverage}


def test_months_over_the_end_of_a_year() -> None:
    """They are counted, not added up as days."""
    assert month_after(date(2026, 11, 1), 3) == date(2027, 2, 1)
    assert month_after(date(2026, 1, 1), -1) == date(2025, 12, 1)
    window = Window.year_before(date(2026, 3, 17))
    assert (window.start, window.end, window.last) == (
        date(2025, 3, 1),
        date(2026, 3, 1),
        date(2026, 2, 1),
    )
    assert len(window.months) == 12


def test_the_last_months_that_were_read() -> None:
    """A month that is half read is left out, unless there is no other; there may be none."""
    usage = [month("2026-01", 0), month("2026-02", 5), month("2026-03", 60), month("2026-04", 100)]

    assert with_readings(usage) == Window(date(2026, 1, 1), date(2026, 3, 1))
    assert with_readings(usage[2:]) == Window(date(2026, 3, 1), date(2026, 4, 1))
    assert with_readings(usage[3:]) is None


_SLOTS = st.lists(st.floats(0, 1000).map(lambda value: round(value, 3)), min_size=4, max_size=60)


@given(_SLOTS, st.data())
def test_what_moves_leaves_the_energy_and_the_highest_power(
    values: list[float], data: st.DataObject
) -> None:
    """In every month: the sum, the highest slot in the peak and that outside of it stay."""
    count = len(values)
    peaks = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    months = np.array([index * 2 // count for index in range(count)])
    read = np.array(values)
    found = moved(read, peaks, months)
    if found is None:
        return
    for changed, sign in ((found.more, 1), (found.less, -1)):
        assert changed.min() >= 0
        assert changed[peaks].sum() - found.peak == pytest.approx(sign * found.kwh, abs=1e-3)
        for part in (0, 1):
            of_month = months == part
            assert changed[of_month].sum() == pytest.approx(read[of_month].sum(), abs=1e-3)
            for chosen in (of_month & peaks, of_month & ~peaks):
                if chosen.any():
                    assert changed[chosen].max() == pytest.approx(read[chosen].max(), abs=1e-5)


def test_what_is_missing_stays_missing() -> None:
    """It is no zero that energy could move to."""
    read = np.array([1.0, np.nan, 2.0, 1.0, 2.0, np.nan])
    found = moved(read, np.array([True, True, True, False, False, False]), np.zeros(6, np.int64))

    assert found is not None
    assert np.isnan(found.more[[1, 5]]).all()
    assert (found.peak, found.energy) == (3.0, 6.0)


def test_nothing_moves_where_all_slots_are_alike() -> None:
    """Every slot is the highest one: none may rise, and none may fall."""
    assert moved(np.ones(4), np.array([True, True, False, False]), np.zeros(4, np.int64)) is None


def test_three_points_on_a_line() -> None:
    """A cent of rounding is on it; what bends is none."""
    assert curve("a", (Fraction(90), Fraction(100), Fraction(110)), Fraction(5)) == Curve(
        "a", Fraction(100), Fraction(2)
    )
    assert curve("a", (Fraction(90), Fraction(100), Fraction("110.02")), Fraction(5)) is not None
    assert curve("a", (Fraction(100), Fraction(100), Fraction(110)), Fraction(5)) is None


def test_the_nearest_crossing_is_the_one_that_counts() -> None:
    """Of two others the one that is the cheapest first, as the share grows or falls."""
    own = Curve("own", Fraction(100), Fraction(1))
    far = Curve("far", Fraction(150), Fraction(0))
    near = Curve("near", Fraction(120), Fraction(0))
    lower = Curve("lower", Fraction(110), Fraction(3))
    share, energy = Fraction(1, 10), Fraction(100)

    assert change([own, far, near], "own", share, energy) == Change(
        Fraction(3, 10), "near", is_more=True
    )
    assert change([own, near, lower], "own", share, energy) == Change(
        Fraction(1, 20), "lower", is_more=False
    )
    assert change([own, far], "own", share, energy) == Change(Fraction(6, 10), "far", is_more=True)
    assert change([own, Curve("never", Fraction(200), Fraction(0))], "own", share, energy) is None


def priced(
    id_: str, charges: list[dict[str, Any]], *lines: tuple[str, str, str | None, str]
) -> Priced:
    """Return a tariff with lines."""
    document = {"id": id_, "name": id_, "versions": [{"charges": charges}]}
    made = tuple(
        {"code": code, "amount": amount, "period": period, "quantity": quantity}
        for code, amount, period, quantity in lines
    )
    total = sum((Decimal(amount) for _, amount, *_ in lines), Decimal(0))
    return Priced(document, total, (total,), made)


_TIMES = [
    {"kind": "energy.time_of_use", "code": "use"},
    {"kind": "demand.contracted", "code": "kw"},
]


def test_lines_by_what_they_charge() -> None:
    """Two parts of a rate are one thing; demand over the contract is apart from the contracted."""
    own = priced(
        "own",
        _TIMES,
        ("use.ponta.te", "10.00", "ponta", "30"),
        ("use.ponta.tusd", "20.00", "ponta", "30"),
        ("use.fora_ponta.te", "40.00", "fora_ponta", "70"),
        ("kw", "15.00", None, "5"),
        ("kw.overrun", "5.00", None, "1"),
    )
    flat = priced("flat", [{"kind": "energy.flat"}], ("energy.flat", "50.00", None, "100"))
    found = drivers(words("en"), [own, flat])

    assert [(one.key, one.name, one.own, one.differences) for one in found] == [
        ("p", "energy in the peak", Decimal("30.00"), (Decimal("-15.00"),)),
        ("f", "energy off-peak", Decimal("40.00"), (Decimal("-5.00"),)),
        (None, "demand", Decimal("15.00"), (Decimal("-15.00"),)),
        (None, "demand over the contract", Decimal("5.00"), (Decimal("-5.00"),)),
    ]
    assert sum(one.differences[0] for one in found) == flat.total - own.total


def test_what_is_divided_adds_up() -> None:
    """A cent that no third has is in the last part."""
    own = priced(
        "own",
        _TIMES,
        ("use.p1", "1.00", "p1", "1"),
        ("use.p2", "1.00", "p2", "1"),
        ("use.p3", "1.00", "p3", "1"),
    )
    flat = priced("flat", [{"kind": "energy.flat"}], ("energy.flat", "10.00", None, "3"))
    found = drivers(words("en"), [own, flat])

    assert [one.own + one.differences[0] for one in found] == [
        Decimal("3.33"),
        Decimal("3.33"),
        Decimal("3.34"),
    ]


def test_a_price_without_periods_is_divided_as_that_of_the_first_tariff() -> None:
    """Where the first has none, as that of the tariff with the most of them."""
    two = priced("two", _TIMES, ("use.p", "1.00", "ponta", "1"), ("use.f", "3.00", "fora", "3"))
    three = priced(
        "three",
        _TIMES,
        ("use.p", "1.00", "ponta", "1"),
        ("use.i", "1.00", "intermediario", "1"),
        ("use.f", "2.00", "fora", "2"),
    )
    flat = priced("flat", [{"kind": "energy.flat"}], ("energy.flat", "8.00", None, "4"))
    by_two, by_three = (
        {one.name: one.own + one.differences[-1] for one in drivers(words("en"), order)}
        for order in ([two, three, flat], [flat, two, three, flat])
    )

    assert by_two == {
        "energy in the peak": Decimal("2.00"),
        "energy in the shoulder": Decimal(0),
        "energy off-peak": Decimal("6.00"),
    }
    assert by_three == {
        "energy in the peak": Decimal("2.00"),
        "energy in the shoulder": Decimal("2.00"),
        "energy off-peak": Decimal("4.00"),
    }


def test_why_names_the_largest_reasons_first() -> None:
    """Two that save, two that cost."""
    own = priced("own", [{"kind": "fixed"}, *_TIMES], ("fixed", "9.00", None, "1"))
    other = priced(
        "other",
        [{"kind": "fixed"}, *_TIMES],
        ("kw", "5.00", None, "1"),
        ("use.peak", "7.00", "peak", "1"),
    )
    found = why(drivers(words("en"), [own, other]), 0)

    assert found.saves == (("fixed charges", Decimal("9.00")),)
    assert found.costs == (
        ("energy in the peak", Decimal("7.00")),
        ("demand", Decimal("5.00")),
    )


def test_how_two_tariffs_differ() -> None:
    """The amount, its part of the first, and in how many months each is the dearer one."""
    document = {"id": "x", "name": "x"}
    first = Priced(document, Decimal(30), (Decimal(10), Decimal(10), Decimal(10)))
    second = Priced(document, Decimal(33), (Decimal(14), Decimal(10), Decimal(9)))
    found = Difference.between(first, second)

    assert (found.amount, found.share) == (Decimal(3), Fraction(1, 10))
    assert (found.dearer, found.cheaper) == (1, 1)


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["CPFL A4 verde", "CPFL B3 branca"], ["A4 verde", "B3 branca"]),
        (["CPFL A4 verde", "CPFL A4"], ["A4 verde", "A4"]),
        (["Verde", "Azul"], ["Verde", "Azul"]),
        (["Same", "Same"], ["Same", "Same"]),
        (["Alone and only"], ["Alone and only"]),
    ],
)
def test_names_without_what_all_begin_with(names: list[str], short: list[str]) -> None:
    """A word at least stays of each."""
    assert short_names(names) == short


def test_parameters_of_a_document() -> None:
    """Wherever they are in it."""
    document = {"charges": [{"rate": {"parameter": "price"}}, {"of": {"x": [{"parameter": "y"}]}}]}

    assert sorted(parameters_in(document)) == ["price", "y"]


def test_bars_go_left_and_right() -> None:
    """What is cheaper is grey and to the left of the middle; a half is half as long."""
    assert 'x="2" y="3" width="54" height="8" class="grey"' in bar(-10, 10)
    assert 'x="56" y="3" width="27" height="8" class="ink"' in bar(5, 10)
    assert "<rect" not in bar(0, 10)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("one rate", "one rate"),
        ("three periods with seasons", "…with seasons"),
        ("night rate on a GMT clock", "…on a GMT clock"),
        ("Zeitvariabler-Tarif-2026", "…bler-Tarif-2026"),
    ],
)
def test_long_names_are_cut_between_words(name: str, short: str) -> None:
    """A word is cut only where it alone is too long."""
    assert cut(name) == short
