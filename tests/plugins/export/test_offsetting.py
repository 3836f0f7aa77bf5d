"""Which lines of which charges exports offset."""

from typing import Any

import pytest

from energia.errors import Invalid
from tests.core.pricing.documents import line
from tests.plugins.export.sites import FLAT, TOU, amounts, bill, export

NET = export("net_metering")


def test_components_may_be_credited_in_part() -> None:
    """85 % of the wires are credited: 2 x (0.20 + 0.10) - 2 x (0.20 + 0.085)."""
    energy = {"kind": "energy.flat", "code": "energy", "tags": ["taxed"],
              "components": {"te": "0.20", "wires": "0.10"}}  # fmt: skip
    found = bill([energy, export("net_metering", credited={"wires": "0.85"})], [2], [3])

    assert amounts(found) == {
        "energy.te": "0.4",
        "energy.wires": "0.2",
        "export.energy.te": "-0.4",
        "export.energy.wires": "-0.17",
    }
    credit = line(found, "export.energy.wires")
    assert (credit.quantity, credit.rate, credit.component) == ("-2", "0.085", "wires")


def test_only_the_lines_that_are_named_are_credited() -> None:
    """A levy on imports stays as it is."""
    levy = {"kind": "energy.flat", "code": "levy", "rate": "0.05"}
    net = export("net_metering", of={"charges": ["energy"]})

    assert amounts(bill([FLAT, levy, net], [4], [4])) == {
        "energy": "1.2",
        "levy": "0.2",
        "export.energy": "-1.2",
    }
    assert bill([FLAT, levy, NET], [4], [4]).total == "0"


def test_a_table_by_energy_is_not_offset() -> None:
    """Street lighting goes by what is imported; a price of each kWh in a month is offset."""
    lighting = {"kind": "table", "code": "lighting", "by": "energy",
                "rows": [{"up_to": "3", "amount": "1"}, {"amount": "2"}]}  # fmt: skip
    flag = {"kind": "adjustment.calendar", "code": "flag", "months": {"2026-03": "0.10"}}

    assert amounts(bill([FLAT, lighting, flag, NET], [4], [3])) == {
        "energy": "1.2",
        "lighting": "2",
        "flag.2026-03": "0.4",
        "export.energy": "-0.9",
        "export.flag.2026-03": "-0.3",
    }


def test_periods_and_a_flat_charge_are_credited_together() -> None:
    """Off peak is offset on both charges: 3 x 0.20 and 3 x 0.05."""
    levy = {"kind": "energy.flat", "code": "levy", "rate": "0.05"}
    found = bill([TOU, levy, NET], [4, 4], [3, 0])

    assert amounts(found) == {
        "energy.peak": "2",
        "energy.off": "0.8",
        "levy": "0.4",
        "export.energy.off": "-0.6",
        "export.levy": "-0.15",
    }


def test_tiers_are_walked_by_what_is_left() -> None:
    """6 kWh less 3 stay in the first tier of 4: its one line loses 1 kWh, the second is gone."""
    tiers = [{"up_to": "4", "rate": "0.10"}, {"rate": "0.40"}]
    found = bill([{"kind": "energy.tiered", "code": "energy", "tiers": tiers}, NET], [6], [3])

    assert amounts(found) == {
        "energy.tier1": "0.4",
        "energy.tier2": "0.8",
        "export.energy.tier1": "-0.1",
        "export.energy.tier2": "-0.8",
    }


BAND = {"kind": "energy.tiered", "code": "energy", "scope": "whole_band",
        "tiers": [{"up_to": "100", "rate": "0.10"}, {"rate": "0.20"}]}  # fmt: skip


@pytest.mark.parametrize(
    "charge", [NET, export("net_billing", rate="0")], ids=["net_metering", "net_billing"]
)
def test_a_band_that_only_the_rest_is_in_is_charged(charge: dict[str, Any]) -> None:
    """150 kWh less 60 are 90, in the lower band: 150 x 0.20 go, and 90 x 0.10 = 9.00 are due."""
    found = bill([BAND, charge], [150], [60])

    assert amounts(found) == {
        "energy.tier2": "30",
        "export.energy.tier2": "-30",
        "export.energy.tier1": "9",
    }
    due = line(found, "export.energy.tier1")
    assert (due.quantity, due.rate, found.total) == ("90", "0.10", "9")


def test_the_rate_of_a_band_that_only_the_rest_is_in_is_rounded() -> None:
    """0.104 of the lower band is 0.10 to two decimals, and 85 % of it 0.09 (0.0884)."""
    band = {**BAND, "tiers": [{"up_to": "100", "rate": {"components": {"wires": "0.104"}}},
                              {"rate": {"components": {"wires": "0.2"}}}]}  # fmt: skip
    rounding = {"unit_price_decimals": 2, "amount_decimals": None}
    net = export("net_metering", credited={"wires": "0.85"})
    found = bill([band, net], [150], [60], rounding=rounding)

    assert line(found, "export.energy.tier1.wires").exact == "8.1"


def test_tiers_of_months_are_offset_from_the_first_on() -> None:
    """A bill that counts tiers by month is offset like one that does not."""
    tiered = {"kind": "energy.tiered", "code": "energy", "reset": "month", "proration": "none",
              "tiers": [{"up_to": "4", "rate": "0.10"}, {"rate": "0.40"}]}  # fmt: skip

    assert (
        bill([tiered, NET], [6], [3]).total
        == bill([{**tiered, "reset": "bill"}, NET], [6], [3]).total
    )


@pytest.mark.parametrize(
    ("charges", "code"),
    [
        (
            [{"kind": "energy.tiered", "code": "energy", "scope": "pooled_chronological",
              "tiers": [{"up_to": "4", "rate": "0.10"}, {"rate": "0.40"}]}, NET],
            "cannot_offset",
        ),
        ([TOU, {**TOU, "code": "other", "rates": {"a": "1", "b": "2"},
                "schedule": {"default": "a", "rules": [{"period": "b", "from": "00:00",
                             "to": "01:00"}]}}, NET], "different_periods"),
        ([FLAT, {"kind": "fixed", "amount": "1", "per": "day"},
          export("net_metering", of={"charges": ["fixed"]})], "no_energy_charge"),
    ],
)  # fmt: skip
def test_what_cannot_be_offset_is_refused(charges: list[dict[str, Any]], code: str) -> None:
    """Energy priced slot by slot, periods that differ, a charge that is not of energy."""
    with pytest.raises(Invalid) as refused:
        bill(charges, [6, 6], [3, 3])

    assert [fault.code for fault in refused.value.faults] == [code]
