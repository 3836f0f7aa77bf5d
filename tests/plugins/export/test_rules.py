"""Parameters and states of `export` that are refused."""

from typing import Any

import pytest

from energia.errors import Invalid
from tests.core.pricing.documents import faults
from tests.plugins.export.sites import FLAT, SCHEDULE, bill, export, read

AT = "/versions/0/charges/1"
METERING: dict[str, Any] = {"scheme": "net_metering"}
BILLING: dict[str, Any] = {"scheme": "net_billing"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (BILLING, {"/rate": "one_price"}),
        ({**BILLING, "rate": "1", "like_import": True}, {"/rate": "one_price"}),
        ({**METERING, "rate": "1"}, {"/rate": "not_of_scheme"}),
        ({**METERING, "rollover": "money"}, {"/rate": "one_price"}),
        ({**METERING, "netting": "hour"}, {"/netting": "not_of_scheme"}),
        ({**BILLING, "rate": "1", "rollover": "kwh"}, {"/rollover": "not_of_scheme"}),
        ({**BILLING, "rate": "1", "uncompensated": "1"}, {"/uncompensated": "not_of_scheme"}),
        ({**BILLING, "schedule": SCHEDULE, "rates": {"peak": "1"}},
         {"/rates/off": "missing_rate"}),
        ({**BILLING, "schedule": SCHEDULE, "rate": "1"}, {"/rates": "missing_rates"}),
        ({"scheme": "buy_all_sell_all", "rates": {"peak": "1"}},
         {"/schedule": "missing_schedule"}),
        ({**BILLING, "tiers": [{"up_to": "5", "rate": "1"}]}, {"/tiers/0/up_to": "open_tier"}),
        ({**BILLING, "tiers": [{"up_to": "5", "rate": "1"}, {"up_to": "4", "rate": "1"},
                               {"rate": "1"}]}, {"/tiers/1/up_to": "tiers_rise"}),
        ({**BILLING, "rate": "1", "expires_after": 1}, {"/expires_after": "nothing_kept"}),
        ({**BILLING, "rate": "1", "apply": "next_bill"}, {"/apply": "nothing_kept"}),
        ({**METERING, "true_up": {"month": 3}}, {"/true_up/rate": "missing_rate"}),
        ({**METERING, "true_up": {"month": 3, "pay": "credit"}},
         {"/true_up/rate": "missing_rate"}),
        ({**METERING, "rollover": "money", "rate": "1",
          "true_up": {"month": 3, "rate": "1"}}, {"/true_up/rate": "not_of_scheme"}),
        ({**METERING, "schedule": SCHEDULE, "across": {"peak": "2", "night": "1"}},
         {"/across/night": "unknown_period"}),
        ({**METERING, "of": {"charges": ["later"]}}, {"/of/charges/0": "unknown_charge"}),
    ],
)  # fmt: skip
def test_fields_that_contradict_each_other_are_refused(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    """When the tariff is saved, with a pointer to the field."""
    found = faults(lambda: read([FLAT, {"kind": "export", **fields}]))

    assert found == {f"{AT}{pointer}": code for pointer, code in expected.items()}


@pytest.mark.parametrize(
    "state",
    [
        {"ledger": [{"month": "2026-13", "kwh": "1"}]},
        {"ledger": [{"month": "2026-01"}]},
        {"ledger": [{"month": "2026-01", "kwh": "1", "money": "1"}]},
        {"ledger": [{"month": "2026-01", "kwh": 1.5}]},
        {"ledger": [{"month": "2026-01", "kwh": "1/0"}]},
        {"ledger": [{"month": "2026-01", "kwh": "1e9999999"}]},
        {"ledger": [{"month": "2026-01", "kwh": "1", "expire": "2026-02"}]},
        {"ledger": [{"month": "2026-01", "kwh": "1", "period": 4}]},
        {"ledger": [{"month": "2026-01", "kwh": "-1"}]},
        {"ledger": ["2026-01"]},
        {"ledger": 5},
        {"month": 3},
        {"net": None},
    ],
)
def test_a_state_that_is_no_ledger_is_refused(state: dict[str, Any]) -> None:
    """It may have been sent by a person."""
    with pytest.raises(Invalid) as refused:
        bill([FLAT, export("net_metering")], [1], [0], state={"export": state})

    assert [fault.code for fault in refused.value.faults] == ["bad_state"]


def test_a_period_without_a_price_is_refused() -> None:
    """The periods of an energy charge are known only with it."""
    with pytest.raises(Invalid) as refused:
        bill([FLAT, export("net_billing", rates={"peak": "1"})], [0], [1])

    assert [fault.code for fault in refused.value.faults] == ["missing_rate"]
