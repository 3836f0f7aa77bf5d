"""Net metering: exports offset imports, and the rest is banked."""

from typing import Any

import pytest

from energia.errors import Invalid
from tests.core.pricing.documents import line
from tests.plugins.export.sites import (
    FLAT,
    SCHEDULE,
    TOU,
    amounts,
    bill,
    export,
    last,
    ledger,
    steps,
)

NET = export("net_metering")


def test_exports_offset_imports_of_the_bill() -> None:
    """2 of 5 kWh are offset, at the rate of the energy charge: 5 x 0.30 - 2 x 0.30."""
    found = bill([FLAT, NET], [5, 0], [0, 2])

    assert amounts(found) == {"energy": "1.5", "export.energy": "-0.6"}
    assert found.total == "0.9"
    assert ledger(found) == []


def test_what_is_over_is_banked_and_used_later() -> None:
    """March exports 3 kWh more than it imports; April uses two of them."""
    march = bill([FLAT, NET], [2], [5])
    april = bill([FLAT, NET], [2], [0], "2026-04", march.state)

    assert (march.total, april.total) == ("0", "0")
    assert ledger(march) == [{"month": "2026-03", "kwh": "3"}]
    assert ledger(april) == [{"month": "2026-03", "kwh": "1"}]
    assert last(april, "kwh") == {"carried_in": "3", "used": "2", "carried_out": "1"}
    assert steps(april, "export.energy") == [("exported in 2026-03", "-2 kWh")]


def test_the_oldest_credit_is_used_first() -> None:
    """4 kWh are offset by 1 of January and 3 of February."""
    state = {"export": {"ledger": [{"month": "2026-02", "kwh": "5"},
                                   {"month": "2026-01", "kwh": "1"}]}}  # fmt: skip
    found = bill([FLAT, NET], [4], [0], state=state)

    assert ledger(found) == [{"month": "2026-02", "kwh": "2"}]
    assert [text for text, _ in steps(found, "export.energy")] == [
        "exported in 2026-01",
        "exported in 2026-02",
    ]


def test_energy_offsets_only_its_own_period() -> None:
    """What is exported off peak is banked while the peak is charged."""
    found = bill([TOU, NET], [0, 4], [3, 0])

    assert amounts(found) == {"energy.peak": "2"}
    assert ledger(found) == [{"month": "2026-03", "period": "off", "kwh": "3"}]


def test_energy_of_another_period_counts_by_its_worth() -> None:
    """3 kWh off peak are worth 1.5 at peak: (4 - 1.5) x 0.50."""
    across = export("net_metering", across={"peak": "2", "off": "1"})
    found = bill([TOU, across], [0, 4], [3, 0])

    assert amounts(found) == {"energy.peak": "2", "export.energy.peak": "-0.75"}
    assert steps(found, "export.energy.peak") == [("exported in 2026-03 in off", "-3 kWh x 0.5")]
    assert ledger(found) == []


def test_an_exchange_that_ends_in_no_decimal_loses_nothing() -> None:
    """4 kWh at peak take 4/3 of 2 kWh off peak; two thirds of a kWh stay."""
    across = export("net_metering", across={"off": "3", "peak": "1"})
    found = bill([TOU, across], [0, 4], [2, 0])

    assert amounts(found)["export.energy.peak"] == "-2"
    assert ledger(found) == [{"month": "2026-03", "period": "off", "kwh": "2/3"}]


def test_a_period_of_another_season_takes_what_is_left_of_its_fellow() -> None:
    """Winter's peak is used in summer's."""
    state = {"export": {"ledger": [{"month": "2026-02", "period": "winter", "kwh": "1"}]}}
    moved = export("net_metering", becomes={"winter": "peak"})

    assert bill([TOU, moved], [0, 4], [0, 0], state=state).total == "1.5"
    assert bill([TOU, NET], [0, 4], [0, 0], state=state).total == "2"


def test_a_flat_tariff_uses_credit_of_any_period_and_the_other_way_round() -> None:
    """Credit survives a change of tariff."""
    peak = {"export": {"ledger": [{"month": "2026-02", "period": "peak", "kwh": "1"}]}}
    plain = {"export": {"ledger": [{"month": "2026-02", "kwh": "1"}]}}

    assert bill([FLAT, NET], [4], [0], state=peak).total == "0.9"
    assert bill([TOU, NET], [0, 4], [0, 0], state=plain).total == "1.5"


def test_credit_expires_with_its_last_month() -> None:
    """Credit of January that lasts two months is used in March, and is gone in April."""
    net = export("net_metering", expires_after=2)
    state = bill([FLAT, net], [0], [9], "2026-01").state
    march, april = (bill([FLAT, net], [1], [0], month, state) for month in ("2026-03", "2026-04"))

    assert ledger(march) == [{"month": "2026-01", "kwh": "8", "expires": "2026-03"}]
    assert (march.total, april.total) == ("0", "0.3")
    assert ledger(april) == []
    assert last(april, "kwh") == {"carried_in": "9", "expired": "9"}
    assert steps(april, "export.bank") == [("expired", "-9")]


def test_some_imports_are_never_offset() -> None:
    """One of 5 kWh is charged whatever is exported; the credit stays."""
    net = export("net_metering", uncompensated="1")
    found = bill([FLAT, net], [5], [9])

    assert found.total == "0.3"
    assert ledger(found) == [{"month": "2026-03", "kwh": "5"}]


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


def test_the_periods_of_the_exports_may_be_their_own() -> None:
    """A flat rate is offset period by period of the charge's schedule."""
    net = export("net_metering", schedule=SCHEDULE)
    found = bill([FLAT, net], [0, 4], [3, 1])

    assert found.total == "0.9"
    assert ledger(found) == [{"month": "2026-03", "period": "off", "kwh": "3"}]


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


def test_money_for_what_is_over() -> None:
    """3 kWh over are worth 0.15, of which April uses 0.15 against 0.30."""
    net = export("net_metering", rollover="money", rate="0.05")
    march = bill([FLAT, net], [2], [5])
    april = bill([FLAT, net], [1], [0], "2026-04", march.state)

    assert (march.total, april.total) == ("0", "0.15")
    assert ledger(march) == [{"month": "2026-03", "money": "0.15"}]
    assert amounts(march)["export.carried"] == "0.15"
    assert steps(april, "export.credit") == [("credit of 2026-03", "-0.15")]


def test_without_a_rollover_what_is_over_is_lost() -> None:
    """It is told."""
    found = bill([FLAT, export("net_metering", rollover="none")], [2], [5])

    assert ledger(found) == []
    assert steps(found, "export.bank") == [("earned", "5"), ("used", "-2"), ("lost", "-3")]
