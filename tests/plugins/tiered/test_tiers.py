"""The charge `energy.tiered`, worked out by hand: scopes, lines, prices."""

import pytest

from energia.errors import Invalid
from energia.plugins import Plugins
from energia.pricing.calendar import Grid
from energia.pricing.prices import prices
from energia_plugins import tariff_tiered
from tests.core.pricing.documents import instant, tariff
from tests.plugins.tiered.pricing import KWH, cost, days, quantities, tiers

TIERS = [{"up_to": "400", "rate": "0.10"}, {"up_to": "900", "rate": "0.15"}, {"rate": "0.22"}]
EVENING = {"default": "low", "rules": [{"period": "peak", "from": "18:00", "to": "21:00"}]}
#: 40 kWh in each of the 24 hours of a day: 960 kWh.
DAY = [40 * KWH] * 24


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_tiered=tariff_tiered).charges()) == ["energy.tiered"]


def test_each_tier_is_a_line() -> None:
    """960 kWh: 400 at 0.10, 500 at 0.15 and 60 at 0.22."""
    found = cost({"tiers": TIERS}, DAY)

    assert [(line.code, line.quantity, line.rate, line.amount) for line in found.lines] == [
        ("energy.tiered.tier1", "400", "0.10", "40"),
        ("energy.tiered.tier2", "500", "0.15", "75"),
        ("energy.tiered.tier3", "60", "0.22", "13.2"),
    ]


def test_a_bound_is_in_the_tier_that_it_ends() -> None:
    """Exactly 400 kWh are all in the first tier, and in the first band."""
    for scope in ("pooled_prorated", "per_period", "pooled_chronological", "whole_band"):
        found = cost({"tiers": TIERS, "scope": scope}, [400 * KWH])

        assert quantities(found) == {"tier1": "400"}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        # The peak is an eighth of the energy: of 400, 500 and 60.
        ("pooled_prorated", {"low.tier1": "350", "low.tier2": "437.5", "low.tier3": "52.5",
                             "peak.tier1": "50", "peak.tier2": "62.5", "peak.tier3": "7.5"}),
        # 840 and 120 kWh by themselves.
        ("per_period", {"low.tier1": "400", "low.tier2": "440", "peak.tier1": "120"}),
        # 400 kWh are used by 10:00, 720 by 18:00, 840 by 21:00, 900 in the middle of 22:00.
        ("pooled_chronological", {"low.tier1": "400", "low.tier2": "380", "low.tier3": "60",
                                  "peak.tier2": "120"}),
        ("whole_band", {"low.tier3": "840", "peak.tier3": "120"}),
    ],
)  # fmt: skip
def test_scopes_tell_whose_energy_is_in_which_tier(scope: str, expected: dict[str, str]) -> None:
    """960 kWh in a day, of which 120 are from 18:00 to 21:00."""
    charge = {"schedule": EVENING, "rates": {"low": TIERS, "peak": TIERS}, "scope": scope}

    assert quantities(cost(charge, DAY)) == expected


def test_components_are_lines_of_each_tier() -> None:
    """Supply and grid print apart; a tier without them is one line."""
    first = {"up_to": "400", "rate": {"components": {"te": "0.06", "tusd": "0.04"}}}

    found = cost({"tiers": [first, {"rate": "0.15"}]}, [500 * KWH])

    assert [(line.code, line.component, line.amount) for line in found.lines] == [
        ("energy.tiered.tier1.te", "te", "24"),
        ("energy.tiered.tier1.tusd", "tusd", "16"),
        ("energy.tiered.tier2", None, "15"),
    ]


def test_usage_above_a_closed_tier_is_refused() -> None:
    """The tariff does not say what it costs."""
    closed = [{**tier, "up_to": tier.get("up_to", "10")} for tier in tiers("4")]
    charge = {"tiers": closed, "last": "closed"}

    assert quantities(cost(charge, [10 * KWH])) == {"tier1": "4", "tier2": "6"}
    with pytest.raises(Invalid) as refused:
        cost(charge, [10 * KWH, 1])
    assert [fault.code for fault in refused.value.faults] == ["above_last_tier"]


@pytest.mark.parametrize("scope", ["pooled_prorated", "per_period", "whole_band"])
def test_net_feed_in_is_a_credit_at_the_first_tier(scope: str) -> None:
    """What goes out is worth what the first unit costs; rates may be negative, too."""
    tiers = [{"up_to": "400", "rate": "-0.10"}, {"rate": "0.15"}]

    assert cost({"tiers": tiers, "scope": scope}, [-30 * KWH]).total == "3"


def test_periods_that_cancel_out_are_priced_at_the_first_tier() -> None:
    """10 kWh in, 10 kWh out: no share of nothing can be told."""
    charge = {"schedule": EVENING, "rates": {"low": tiers("5"), "peak": tiers("5")}}
    values = [10 * KWH, *[0] * 17, -10 * KWH]

    assert quantities(cost(charge, values)) == {"low.tier1": "10", "peak.tier1": "-10"}


def test_no_usage_is_a_line_of_nothing() -> None:
    """The bill shows that the charge was there."""
    assert quantities(cost({"tiers": TIERS}, [0])) == {"tier1": "0"}


def test_walks_do_not_overflow() -> None:
    """Cumulative sums of large readings fit no 64 bits."""
    huge = 4 * 10**18

    found = cost({"tiers": tiers("1"), "scope": "pooled_chronological"}, [huge] * 4)

    assert quantities(found) == {"tier1": "1", "tier2": str(16 * 10**12 - 1)}


def test_the_steps_of_a_line_tell_how_its_quantity_came_about() -> None:
    """The bounds, the days, and the share of the period."""
    charge = {"schedule": EVENING, "rates": {"low": TIERS, "peak": TIERS}}

    found = cost(charge, DAY)

    (step,) = found.details[4].steps
    assert (step.description, step.expression) == (
        "above 400 kWh up to 900 kWh",
        "(900 - 400) x 120/960",
    )
    assert step.value == 62.5


def test_months_of_one_bill_are_told() -> None:
    """Tiers over a quarter are rarely meant."""
    found = cost({"tiers": TIERS}, days(90, 24))

    assert [one.code for one in found.assumptions] == ["long_bill"]


def test_a_price_is_that_of_the_first_tier_and_says_so() -> None:
    """What a unit costs depends on how much was used."""
    document = tariff([{"kind": "energy.tiered", "tiers": TIERS}])

    found = prices(document, "import", Grid(instant("2026-03-01T00:00:00Z"), 3600, 24), {})

    assert [run.price for run in found.runs] == ["0.1"]
    assert [one.code for one in found.assumptions] == ["first_tier"]
