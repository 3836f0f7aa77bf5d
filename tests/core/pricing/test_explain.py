"""Explanations: what put the slots into the period, and how the amount came about."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from energia.cli.explain import of_lines
from energia.metering.series import Series
from energia.plugins import Plugins
from energia.pricing.engine import price
from energia.pricing.explain import Charged, ExplainedLine, explain
from energia.pricing.segments import segments
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Terms

CONVERTER = tariff_converter(Plugins.installed().charges())
#: 2026-03-02 in Sao Paulo, as the README's tour has it.
START = 1_772_420_400
VALUES = (
    *(0.212, 0.198, 0.187, 0.184, 0.19, 0.231, 0.402, 0.511, 0.384, 0.302, 0.295, 0.341),
    *(0.455, 0.402, 0.333, 0.318, 0.377, 0.561, 1.204, 1.377, 1.102, 0.804, 0.521, 0.313),
)
RULES = [
    {"period": "peak", "days": ["weekday"], "from": "18:00", "to": "19:00"},
    {"period": "peak", "days": ["mon"], "from": "18:00", "to": "21:00"},
]
CHARGES = [
    {
        "kind": "energy.time_of_use",
        "schedule": {"default": "off_peak", "rules": RULES},
        "rates": {"peak": "1.73992", "off_peak": "0.83447"},
    },
    {"kind": "fixed", "amount": "15.50", "per": "month"},
]


def explained(values: list[int], charges: object = CHARGES) -> tuple[ExplainedLine, ...]:
    """Return the explained lines of a day of hours in micro-kWh."""
    version = {"valid_from": "2026-01-01", "charges": charges}
    tariff = CONVERTER.structure(
        {
            "name": "Evening",
            "currency": "BRL",
            "timezone": "America/Sao_Paulo",
            "versions": [version],
        },
        Tariff,
    )
    count = len(values)
    series = Series(START, 3600, np.array(values, np.int64), np.ones(count, np.int8))
    usage, end = {"import": series}, START + 3600 * count
    cost = price(tariff, usage, START, end)
    return explain(Charged.of(cost), segments(tariff, usage, START, end, Terms()), "BRL")


def micro(values: tuple[float, ...]) -> list[int]:
    """Return kilowatt-hours in micro-units."""
    return [round(value * 1_000_000) for value in values]


def test_runs_are_those_of_the_rules() -> None:
    """Three peak hours come from two rules, the first match first: 1.204, then 1.377 + 1.102."""
    peak = explained(micro(VALUES))[0]

    assert peak.calendar is not None
    assert [(run.start.hour, run.slots, run.rule, run.quantity) for run in peak.calendar.runs] == [
        (18, 1, 0, "1.204"),
        (19, 2, 1, "2.479"),
    ]
    assert [rule.text for rule in peak.calendar.rules] == [
        "peak: weekday 18:00-19:00",
        "peak: mon 18:00-21:00",
    ]


def test_what_no_rule_takes_is_the_default() -> None:
    """The rest of the day is two runs around the peak: 18 and 3 hours."""
    rest = explained(micro(VALUES))[1]

    assert rest.calendar is not None
    assert [(run.slots, run.rule) for run in rest.calendar.runs] == [(18, None), (3, None)]


def test_the_arithmetic_is_exact() -> None:
    """3.683 kWh at 1.73992 are 6.40812536, rounded half up; 31/31 of nothing is rounded away."""
    peak, _, fixed = explained(micro(VALUES))

    assert peak.arithmetic.expression == "3.683 kWh x 1.73992 BRL/kWh"
    assert peak.arithmetic.value == "6.40812536"
    assert (peak.rounding.amount, peak.rounding.residue) == ("6.41", "-0.00187464")
    assert [(step.description, step.expression) for step in fixed.arithmetic.steps] == [
        ("2026-03", "1/31")
    ]
    assert fixed.arithmetic.expression == "(1/31) month x 15.50 BRL/month"
    assert fixed.arithmetic.value == "0.5"


def test_measures_are_named() -> None:
    """A line says which measure gave its quantity, as the exact integer and with its unit."""
    peak, _, fixed = explained(micro(VALUES))

    (energy,) = peak.measures
    assert (energy.name, energy.label, energy.raw) == ("energy", "peak", 3_683_000)
    assert (energy.quantity, energy.unit) == ("3.683", "kWh")
    (days,) = fixed.measures
    assert (days.label, days.raw, days.unit) == ("2026-03", 1, None)


def test_a_person_can_read_it() -> None:
    """The text names the line, the arithmetic, the rule and the hours."""
    text = "\n".join(of_lines(explained(micro(VALUES)), "BRL"))

    assert "3.683 kWh x 1.73992 BRL/kWh = 6.40812536" in text
    assert "rounded half up to 2 decimals, which leaves -0.00187464" in text
    assert "rule 2, peak: mon 18:00-21:00: 2 slots, 2.479 kWh" in text
    assert "Mon 2026-03-02 19:00-21:00, 2 slots, 2.479 kWh" in text


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=300))
def test_runs_add_up(values: list[int]) -> None:
    """Whatever was used, the runs of each line add up to its quantity, exactly."""
    for line in explained(values):
        if line.calendar is not None:
            total = sum(Fraction(run.quantity) for run in line.calendar.runs)
            assert total == Fraction(line.line.quantity or 0)
            assert total == sum(Fraction(rule.quantity) for rule in line.calendar.rules)
