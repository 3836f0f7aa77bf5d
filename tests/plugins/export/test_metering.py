"""Net metering: exports offset imports, and the rest is banked."""

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


def test_the_periods_of_the_exports_may_be_their_own() -> None:
    """A flat rate is offset period by period of the charge's schedule."""
    net = export("net_metering", schedule=SCHEDULE)
    found = bill([FLAT, net], [0, 4], [3, 1])

    assert found.total == "0.9"
    assert ledger(found) == [{"month": "2026-03", "period": "off", "kwh": "3"}]


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
