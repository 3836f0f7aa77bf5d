"""What a bill's page is made of: arithmetic in words, slots, bars, differences, verdicts."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from energia_plugins.console.bills.arithmetic import RateStep, arithmetic, price, quantity
from energia_plugins.console.bills.differences import changes, energy_of
from energia_plugins.console.bills.lines import Line, lines_of, parts_of
from energia_plugins.console.bills.listing import rows_of
from energia_plugins.console.bills.slots import Readings, Table
from energia_plugins.console.bills.taxes import Tax, Taxes
from energia_plugins.console.bills.verdicts import ours_of
from energia_plugins.console.words import Language, words

EN, PT = words("en"), words("pt-BR")


@pytest.mark.parametrize(
    ("language", "given", "said"),
    [
        ("en", "2884.873 kWh x 1.07616", "2,884.873 kWh \N{MULTIPLICATION SIGN} 1.07616"),
        ("pt-BR", "50 - 40, as it is above 40", "50 \N{MINUS SIGN} 40, pois passa de 40"),
        ("pt-BR", "12.5 at 2026-05-20T10:15:00-03:00", "12,5 em 20\xa0mai., 10:15"),
        ("en", "0.5 x 31/31", "0.5 \N{MULTIPLICATION SIGN} 31/31"),
        ("en", "100000/30000 / 2", "3.333333 \N{DIVISION SIGN} 2"),
        ("en", "-12.5", "\N{MINUS SIGN}12.5"),
        ("pt-BR", "40 x (1 + 5.00 %)", "40 \N{MULTIPLICATION SIGN} (1 + 5,00\xa0%)"),
        ("en", "charge A4 of 2026-03-02", "charge A4 of 2\xa0Mar\xa02026"),
    ],
)
def test_arithmetic(language: Language, given: str, said: str) -> None:
    """Numbers, ratios, days and signs are written as the language has them, names as they are."""
    assert arithmetic(words(language), given) == said


def test_rate_steps() -> None:
    """A step of a rate has a name, arithmetic and a value; about that one where none ends."""
    step = RateStep.read("Tributos: 0.5 / (1 - 0.18) = 25/41, about 0.609756")
    assert step == RateStep("Tributos", "0.5 / (1 - 0.18)", "0.609756")
    assert step.before == "0.5"
    assert RateStep.read("nothing of the kind") is None


def test_quantities_and_prices() -> None:
    """Units that are words are translated and counted; prices have all their places."""
    assert quantity(PT, "1", "day") == "1\xa0dia"
    assert quantity(PT, "31", "day") == "31\xa0dias"
    assert quantity(EN, "10/3", "month") == "3.333333\xa0months"
    assert price(PT, "1.29459", "BRL", "kWh") == "R$\xa01,29459 por kWh"
    assert price(EN, "-0.05", "GBP", None) == "\N{MINUS SIGN}GBP\xa00.05"


def _slot_runs(start: datetime, hours: int) -> list[dict[str, str]]:
    return [{"start": start.isoformat(), "end": (start + timedelta(hours=hours)).isoformat()}]


def _readings(start: str, end: str, values: list[float | None]) -> Readings:
    quality = [{"from": 0, "to": 1, "code": "estimated"}]
    document: dict[str, Any] = {"start": start, "end": end, "values": values, "quality": quality}
    return Readings.read({**document, "unit": "kWh"}, "Europe/London")


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-29T00:00:00+00:00", "2026-03-30T00:00:00+01:00", 23),
        ("2026-10-25T00:00:00+01:00", "2026-10-26T00:00:00+00:00", 25),
    ],
)
def test_days_of_other_lengths(start: str, end: str, hours: int) -> None:
    """A day of 23 or 25 hours has all its slots; the hour that comes twice is one cell of both."""
    readings = _readings(start, end, [1.0] * hours)
    first = date.fromisoformat(start[:10])
    table = Table.of(readings, first, first + timedelta(days=1))
    assert table.days[0].total == hours
    assert len(table.cells) == min(hours, 24)
    assert max(table.cells.values()) == (2.0 if hours == 25 else 1.0)


def test_slots_of_a_line() -> None:
    """The slots within the runs are the line's; estimates and gaps are counted."""
    readings = _readings(
        "2026-03-02T00:00:00+00:00", "2026-03-03T00:00:00+00:00", [1.0, None, *[2.0] * 22]
    )
    start = datetime.fromisoformat("2026-03-02T00:00:00+00:00")
    of_line = readings.within(_slot_runs(start, 3))
    assert [slot.value for slot in of_line.slots] == [1.0, None, 2.0]
    assert (of_line.estimated, of_line.missing) == (1, 1)
    day = Table.of(of_line, date(2026, 3, 2), date(2026, 3, 3)).days[0]
    assert (day.total, day.is_estimated, day.is_missing) == (3.0, True, True)


def test_power_of_longer_times() -> None:
    """The power of two hours is their energy by two."""
    readings = _readings("2026-03-02T00:00:00+00:00", "2026-03-02T04:00:00+00:00", [1, 3, 5, 5])
    power = readings.power(120)
    assert [slot.value for slot in power.slots] == [2.0, 5.0]
    assert power.unit == "kW"


def _bill(*amounts: str) -> dict[str, Any]:
    lines = [
        {"code": f"c{index}", "description": f"L{index}", "amount": amount, "exact": amount}
        for index, amount in enumerate(amounts)
    ]
    return {"lines": lines, "total": "0", "currency": "BRL"}


def test_bars_build_the_total() -> None:
    """Each bar begins where the one before ends; a credit leads back; nothing has no bar."""
    bill = _bill("60", "-20", "0", "40")
    (part,) = parts_of(lines_of(EN, bill, None))
    bars = [bar for _, bar in part.lines]
    assert 'x="0" y="6" width="96"' in bars[0]
    assert 'x="64" y="6" width="32"' in bars[1]
    assert "<rect" not in bars[2]
    assert 'x="64" y="6" width="64"' in bars[3]


def test_tax_bar_of_a_credit() -> None:
    """Where the total is less than its taxes there is no bar, as it would show nothing true."""
    tax = Tax("ICMS", None, None, Decimal("10"), is_within=True)
    assert Taxes([tax], Decimal("5")).picture(EN, "BRL") == ""
    assert 'role="img"' in Taxes([tax], Decimal("50")).picture(EN, "BRL")


def test_changes_of_lines() -> None:
    """Lines that are new, gone or other are listed, by version too; what is free is not."""
    before, after = _bill("1.00", "2.00"), _bill("1.00", "3.00")
    after["lines"].append(
        {"code": "c1", "version": "2026-02-01", "description": "L1", "amount": "4.00"}
    )
    for bill, tax in ((before, "1.5"), (after, "1.6")):  # within the prices: told, not charged
        line = {"code": "icms", "description": "ICMS 18%", "quantity": tax, "amount": "0.00"}
        bill["lines"].append(line)
    found = changes(before, after)
    assert [(one.name, one.amounts, one.difference) for one in found] == [
        ("L1", ("2.00", "3.00"), Decimal("1.00")),
        ("L1", (None, "4.00"), Decimal("4.00")),
    ]


def test_energy_is_counted_once() -> None:
    """Components of a price are of the same energy; a bill without energy has none."""
    lines = [
        {"code": "e.p.te", "unit": "kWh", "quantity": "5", "period": "p"},
        {"code": "e.p.tusd", "unit": "kWh", "quantity": "5", "period": "p"},
        {"code": "e.f", "unit": "kWh", "quantity": "7", "period": "f"},
        {"code": "flag.e", "unit": "kWh", "quantity": "12"},
    ]
    assert energy_of({"lines": lines}) == 12
    assert energy_of({"lines": [{"code": "fixed", "unit": "day", "quantity": "3"}]}) is None


def test_the_period_before() -> None:
    """A bill is held beside the one in force that ends as it begins, and beside no other."""
    base = {"contract": "c", "currency": "GBP", "status": "issued"}
    march = {**base, "start": "2026-03-01", "end": "2026-04-01", "total": "30.00"}
    old = {**base, "start": "2026-02-01", "end": "2026-03-01", "total": "5.00"}
    february = {**old, "total": "20.00"}
    rows = rows_of([march, february, {**old, "status": "corrected"}])
    assert rows[0].difference == Decimal("10.00")
    assert rows[0].share == Decimal("0.5")
    assert rows[1].difference is None
    assert "<rect" not in rows[2].bar


def _line(code: str, name: str) -> Line:
    given: dict[str, Any] = {"code": code, "description": name, "amount": "1", "exact": "1"}
    return lines_of(EN, {"lines": [given]}, None)[0]


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("consumo.ponta", "consumo.ponta"),
        ("consumo.ponta.te", "consumo.ponta.te"),
        ("demanda.ultrapassagem", "demanda.overrun"),
        ("multa", None),
        (None, None),
    ],
)
def test_printed_codes(code: str | None, ours: str | None) -> None:
    """A printed line is ours by its code, by one above it, or by the word that ends it."""
    lines = [
        _line("consumo.ponta.te", "Consumo, ponta, TE"),
        _line("demanda.overrun", "Demanda, ultrapassagem"),
    ]
    assert ours_of(code, lines) == ours
