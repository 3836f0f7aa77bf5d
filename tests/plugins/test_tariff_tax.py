"""The charge `tax`, with its plugin and those of what it taxes."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.plugins import Plugins
from energia_plugins import tariff_tax, tariff_tiered
from tests.core.pricing.documents import faults, line
from tests.plugins.adjusting import PEAK, Bills, exacts, rate_steps, steps

BILLS = Bills(tariff_tax)
FLAT = {"kind": "energy.flat", "rate": "0.50"}
FIXED = {"kind": "fixed", "amount": "10", "per": "month"}
ICMS = {"name": "icms", "rate": "0.20"}
#: PIS and COFINS have one base.
PIS = {"name": "pis", "rate": "0.01", "group": "federal"}
COFINS = {"name": "cofins", "rate": "0.04", "group": "federal"}


def tax(*taxes: dict[str, Any], form: str = "inside_product", **fields: Any) -> dict[str, Any]:
    """Return the charge."""
    return {"kind": "tax", "taxes": list(taxes), "form": form, **fields}


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_tax=tariff_tax).charges()) == ["tax"]


def test_taxes_inside_are_a_product_of_groups() -> None:
    """T / ((1 - icms) x (1 - (pis + cofins))): 0.76 is what is left of the gross price."""
    found = BILLS.of([FLAT, FIXED, tax(ICMS, PIS, COFINS)])

    assert exacts(found) == {"energy.flat": 50 / Fraction("0.76"), "fixed": 10 / Fraction("0.76")}
    assert rate_steps(found, "energy.flat") == (
        "Taxes: 0.5 / ((1 - 0.20) x (1 - 0.01 - 0.04)) = 25/38, about 0.657895",
    )


def test_taxes_inside_may_be_a_sum() -> None:
    """T / (1 - icms - pis - cofins), as Brazil's bills had it."""
    found = BILLS.of([FLAT, tax(ICMS, PIS, COFINS, form="inside_sum")])

    assert exacts(found) == {"energy.flat": 50 / Fraction("0.75")}


def test_taxes_on_top_are_lines() -> None:
    """Each is on the net amount."""
    found = BILLS.of([FLAT, FIXED, tax(ICMS, PIS, form="add_on", description="Taxes")])

    assert exacts(found) == {
        "energy.flat": 50,
        "fixed": 10,
        "tax.icms": 12,
        "tax.pis": Fraction("0.6"),
    }
    assert line(found, "tax.pis").description == "Taxes pis"
    assert steps(found, "tax.icms") == [("50 x 0.20", 10), ("10 x 0.20", 2)]


def test_a_tax_may_be_on_the_taxes_before() -> None:
    """GST on an amount with duty: 50 x 1.20 x 0.01."""
    found = BILLS.of([FLAT, tax(ICMS, PIS, form="add_on_compound")])

    assert exacts(found) == {"energy.flat": 50, "tax.icms": 10, "tax.pis": Fraction("0.6")}


def test_taxes_on_top_may_be_in_the_price() -> None:
    """Prices as shops show them."""
    found = BILLS.of([FLAT, tax(ICMS, form="add_on", show="price")])

    assert exacts(found) == {"energy.flat": 60}
    assert line(found, "energy.flat").rate == "0.6"


@pytest.mark.parametrize("form", ["inside_product", "inside_sum"])
def test_taxes_inside_may_be_lines_of_their_own(form: str) -> None:
    """Net lines and taxes together are the gross price."""
    charges = [FLAT, FIXED, tax(ICMS, PIS, COFINS, form=form)]
    inside, apart = (
        exacts(BILLS.of([*charges[:-1], charges[-1] | {"show": show}]))
        for show in ("price", "lines")
    )

    assert apart["energy.flat"] == 50
    assert apart["fixed"] == 10
    assert sum(apart.values()) == sum(inside.values())
    assert apart["tax.icms"] == sum(inside.values()) / 5


def test_taxes_inside_may_be_told() -> None:
    """The quantity of a line of no amount is the tax: ICMS of the gross, PIS of what is left."""
    found = BILLS.of([FLAT, tax(ICMS, PIS, COFINS, show="information")])

    gross = 50 / Fraction("0.76")
    assert exacts(found) == {"energy.flat": gross, "tax.icms": 0, "tax.pis": 0, "tax.cofins": 0}
    assert steps(found, "tax.icms") == [
        ("1250/19 x 0.20", gross / 5),
        ("-250/19", -gross / 5),
    ]
    assert line(found, "tax.pis").quantity == "0.526316"  # 52.631579 x 0.01


def test_what_is_told_is_of_the_rate_before_it_was_rounded() -> None:
    """0.544 is 0.5 net at one decimal, and 0.68 gross: ICMS is 20 % of 68, not of 62.5."""
    rounding = {"unit_price_decimals": 1, "amount_decimals": None}
    charges = [{"kind": "energy.flat", "rate": "0.544"}, tax(ICMS, show="information")]
    found = BILLS.of(charges, rounding=rounding)

    assert line(found, "energy.flat").exact == "70"
    assert line(found, "tax.icms").quantity == "13.6"


def test_only_selected_lines_are_taxed() -> None:
    """Street lighting is added outside the taxes."""
    found = BILLS.of([FLAT, FIXED, tax(ICMS, of={"charges": ["energy.flat"]})])

    assert exacts(found) == {"energy.flat": Fraction("62.5"), "fixed": 10}


def test_each_period_has_its_gross_price() -> None:
    """Quantities stay as they are."""
    tou = {"kind": "energy.time_of_use", "schedule": PEAK, "rates": {"peak": "2", "off": "1"}}
    hours = [60] + [0] * 17 + [40]
    found = BILLS.over([tou, tax(ICMS)], ("2026-03-01", "2026-03-02"), hours)

    assert [(one.quantity, one.rate) for one in found.lines] == [("40", "2.5"), ("60", "1.25")]


@pytest.mark.parametrize(("across", "rate"), [("days", "0.14"), ("start", "0.10"), ("end", "0.20")])
def test_the_days_that_decide_on_a_rate(across: str, rate: str) -> None:
    """27 March to 4 April: 6 x 10 % and 4 x 20 % of ten days are 14 %."""
    gst = {"name": "gst", "rates": {"2026-03": "0.10", "2026-04": "0.20"}}
    days = ("2026-03-26", "2026-04-05")
    found = BILLS.of([FLAT, tax(gst, form="add_on", across=across)], 100, days)

    assert exacts(found)["tax.gst"] == 50 * Fraction(rate)


def test_a_mean_rate_is_explained() -> None:
    """Both months, with their days."""
    gst = {"name": "gst", "rates": {"2026-03": "0.10", "2026-04": "0.20"}}
    found = BILLS.of([FLAT, tax(gst, form="add_on")], 100, ("2026-03-26", "2026-04-05"))

    assert steps(found, "tax.gst") == [("50 x (6/10 x 0.10 + 4/10 x 0.20)", 7)]


def test_one_tax_may_follow_another() -> None:
    """A reform in the middle of a bill: each is taken on its days."""
    old = {"name": "icms", "rate": "0.20", "to": "2026-04-01"}
    new = {"name": "icms", "rate": "0.10", "from": "2026-04-01"}
    cbs = {"name": "cbs", "rate": "0.05", "from": "2026-04-01"}
    found = BILLS.of([FLAT, tax(old, new, cbs, form="add_on")], 100, ("2026-03-22", "2026-04-11"))

    assert exacts(found) == {
        "energy.flat": 50,
        "tax.icms": 50 * Fraction("0.15"),
        "tax.cbs": 50 * Fraction("0.025"),
    }


def test_a_month_without_a_rate_is_refused() -> None:
    """It is named."""
    gst = {"name": "gst", "rates": {"2026-03": "0.10"}}
    charges = [FLAT, tax(gst)]

    assert BILLS.of(charges, 1, ("2026-03-26", "2026-04-01")).total
    found = faults(lambda: BILLS.of(charges, 1, ("2026-03-26", "2026-04-02")))
    assert found == {None: "missing_month"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"taxes": []}, {"/taxes": "too_short"}),
        ({"taxes": [{"name": "a"}]}, {"/taxes/0/rate": "one_rate"}),
        (
            {"taxes": [{"name": "a", "rate": "1", "rates": {"2026-1": "0.1"}}]},
            {"/taxes/0/rate": "out_of_range", "/taxes/0/rates/2026-1": "bad_pattern"},
        ),
        (
            {"taxes": [{"name": "a", "bands": [{"up_to": "9", "rate": "0.1"}]}]},
            {"/taxes/0/bands/0/up_to": "closed_band"},
        ),
        (
            {"taxes": [{**ICMS, "from": "2026-02-01", "to": "2026-02-01"}]},
            {"/taxes/0/to": "empty_range"},
        ),
        ({"taxes": [ICMS, PIS, ICMS]}, {"/taxes/2/name": "duplicate_tax"}),
        (
            {"taxes": [{"name": "a", "rate": "0.6"}, {"name": "b", "rate": "0.4"}]}
            | {"form": "inside_sum"},
            {"/taxes": "rates_too_high"},
        ),
        ({"form": "add_on", "show": "information"}, {"/show": "nothing_inside"}),
        ({"form": "outside"}, {"/form": "unknown_value"}),
    ],
)
def test_what_contradicts_itself_is_refused(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    """The place is told when the tariff is saved."""
    at = "/versions/0/charges/1"
    found = faults(lambda: BILLS.tariff([FLAT, tax(ICMS) | fields]))

    assert found == {f"{at}{pointer}": code for pointer, code in expected.items()}


def test_high_rates_of_different_bases_are_fine() -> None:
    """What one group leaves is the base of the next: 1 / (0.4 x 0.6)."""
    found = BILLS.of([FLAT, tax({"name": "a", "rate": "0.6"}, {"name": "b", "rate": "0.4"})])

    assert exacts(found) == {"energy.flat": 50 / Fraction("0.24")}


RATES = st.decimals(0, "0.30", places=4).map(str)


@given(st.lists(RATES, min_size=1, max_size=3), st.integers(0, 10**6))
def test_taxes_are_what_the_gross_is_more_than_the_net(rates: list[str], watts: int) -> None:
    """Inside or on top, as lines or in prices."""
    taxes = [{"name": f"t{at}", "rate": rate} for at, rate in enumerate(rates)]
    for form in ("inside_product", "inside_sum", "add_on", "add_on_compound"):
        price, lines = (
            exacts(BILLS.of([FLAT, FIXED, tax(*taxes, form=form, show=show)], watts / 1000))
            for show in ("price", "lines")
        )
        assert sum(price.values()) == sum(lines.values())


@given(st.integers(0, 10**6))
def test_a_tax_of_nothing_changes_nothing(watts: int) -> None:
    """Not even that a line was replaced."""
    nothing = {"name": "icms", "rate": "0"}
    found = BILLS.of([FLAT, FIXED, tax(nothing)], watts / 1000)

    assert found.lines == BILLS.of([FLAT, FIXED], watts / 1000).lines
    assert [one.replaced_by for one in found.details] == [(), ()]


@pytest.mark.parametrize(
    ("caps", "amount"),
    [
        ({"cap_per_unit": "0.05"}, "5"),
        ({"cap_per_unit": "0.5"}, "12"),
        ({"cap": "3"}, "3"),
        ({"cap": "8", "cap_per_unit": "0.05"}, "5"),
    ],
)
def test_a_tax_on_top_may_have_a_cap(caps: dict[str, str], amount: str) -> None:
    """20 % of 50 + 10 are 12, or so much for each of 100 kWh; lines share it in proportion."""
    found = BILLS.of([FLAT, FIXED, tax(ICMS | caps, form="add_on")])

    assert exacts(found)["tax.icms"] == Fraction(amount)
    shares = [value for _, value in steps(found, "tax.icms")]
    assert shares == [Fraction(amount) * 50 / 60, Fraction(amount) * 10 / 60]


@pytest.mark.parametrize(
    "fields",
    [{"form": "inside_product"}, {"form": "add_on", "show": "price"}, {"form": "add_on_compound"}],
)
def test_only_a_line_on_top_may_have_a_cap(fields: dict[str, str]) -> None:
    """Other taxes would be on what is capped."""
    assert faults(lambda: BILLS.of([FLAT, tax(ICMS | {"cap": "1"}, **fields)])) == {
        "/versions/0/charges/1/taxes/0": "cap_inside"
    }


def test_a_tax_may_be_in_the_base_alone() -> None:
    """EDP's credit: 50 / (0.8 x 0.95) is the base of ICMS, and PIS and COFINS are not in it."""
    unpaid = [one | {"base_only_tags": ["injected"]} for one in (PIS, COFINS)]
    charges = [FLAT | {"tags": ["injected"]}, tax(ICMS, *unpaid, show="information")]
    found = BILLS.of(charges)

    gross = 50 / Fraction("0.76")
    assert exacts(found)["energy.flat"] == gross - gross * Fraction("0.8") * Fraction("0.05")
    assert steps(found, "tax.icms")[0] == ("1250/19 x 0.20", gross / 5)
    assert line(found, "tax.pis").quantity == "0"


def test_a_base_is_of_taxes_inside() -> None:
    """On top of a price no tax is in the base of those before it."""
    charges = [FLAT, tax(ICMS | {"base_only_tags": ["x"]}, form="add_on")]

    assert faults(lambda: BILLS.of(charges)) == {
        "/versions/0/charges/1/taxes/0/base_only_tags": "nothing_inside"
    }


# Taxes on lines with a tag.

BANDS = {
    "kind": "energy.tiered",
    "code": "energy",
    "tiers": [{"up_to": "60", "rate": "0.50", "tags": ["low"]}, {"rate": "0.50", "tags": ["high"]}],
}
LOW = {"name": "icms", "rate": "0.12", "tags": ["low"]}
HIGH = {"name": "icms", "rate": "0.20", "tags": ["high"]}


def test_a_tax_may_have_another_rate_on_lines_with_a_tag() -> None:
    """Santa Catarina: 12 % on the first 150 kWh, 17 % on the rest, and PIS on both."""
    bills = Bills(tariff_tax, others={"tiered": tariff_tiered})

    found = bills.of([BANDS, tax(LOW, HIGH, PIS, show="information")])

    assert exacts(found) == {
        "energy.tier1": 30 / (Fraction("0.88") * Fraction("0.99")),
        "energy.tier2": 20 / (Fraction("0.80") * Fraction("0.99")),
        "tax.icms": 0,
        "tax.pis": 0,
    }
    told = line(found, "tax.icms")
    expected = 30 / Fraction("0.99") * 12 / 88 + 20 / Fraction("0.99") * 20 / 80
    assert Fraction(told.quantity_exact or told.quantity or 0) == expected


def test_prices_do_not_tell_a_tax_of_lines_with_a_tag() -> None:
    """Which lines have the tag depends on the bill: nothing is told, rather than too little."""
    (charge,) = BILLS.tariff([tax(LOW, HIGH)]).versions[0].charges

    assert charge.price_changes(date(2026, 3, 1)) is None


def test_one_tax_is_taken_once_of_a_line() -> None:
    """Two of a name are refused where a line could have both."""
    overlap = {**HIGH, "tags": ["high", "low"]}
    charges = [FLAT, tax(LOW, overlap)]

    found = faults(lambda: BILLS.of(charges))

    assert found == {"/versions/0/charges/1/taxes/1/name": "duplicate_tax"}
