"""What is made of fixed charges, of minimums and of what exports earn."""

from typing import Any

import pytest

from tests.plugins.urdb.rates import charges, rate, read, warned


@pytest.mark.parametrize(
    ("fields", "amount", "per"),
    [
        ({"fixedchargefirstmeter": "12.5", "fixedchargeunits": "$/month"}, "12.5", "bill"),
        ({"fixedchargefirstmeter": "0.79343", "fixedchargeunits": "$/day"}, "0.79343", "day"),
        ({"fixedchargefirstmeter": 120, "fixedchargeunits": "$/year"}, "120", "year"),
        ({"fixedchargefirstmeter": 3}, "3", "bill"),
        ({"fixedmonthlycharge": 7}, "7", "bill"),
        ({"fixedchargefirstmeter": 3, "fixedmonthlycharge": 7}, "3", "bill"),
    ],
)
def test_a_fixed_charge_is_for_a_bill_a_day_or_a_year(
    fields: dict[str, Any], amount: str, per: str
) -> None:
    """A month is a bill: a window of 33 days pays it once."""
    found = charges(rate(**fields))["fixed"]

    assert found == {"kind": "fixed", "code": "fixed", "amount": amount, "per": per}


def test_more_meters_are_a_parameter() -> None:
    """A contract tells how many there are."""
    found = charges(rate(fixedchargefirstmeter=5, fixedchargeeaaddl=2))["fixed"]

    assert found["additional"] == "2"
    assert found["meters"] == {"parameter": "meters", "default": 1}


@pytest.mark.parametrize(
    ("fields", "amounts"),
    [
        ({"mincharge": 30, "minchargeunits": "$/month"}, [("30", "bill")]),
        ({"mincharge": "0.392", "minchargeunits": "$/day"}, [("0.392", "day")]),
        ({"minmonthlycharge": 5, "annualmincharge": 100}, [("5", "bill"), ("100", "year")]),
        ({"mincharge": 5, "minmonthlycharge": 9}, [("5", "bill")]),
        ({"mincharge": 0}, []),
    ],
)
def test_minimums_come_last(fields: dict[str, Any], amounts: list[tuple[str, str]]) -> None:
    """They look at all other charges."""
    document = rate(**fields, fixedchargefirstmeter=1, dgrules="Net Metering")

    all_charges = charges(document, exports="include")
    found = [one for one in all_charges.values() if one["kind"] == "minimum"]

    assert [(one["amount"], one["per"]) for one in found] == amounts
    assert [*all_charges][: -len(found) or None][-1] == "export"


@pytest.mark.parametrize(
    ("fields", "export"),
    [
        ({"dgrules": "Net Metering"}, {"scheme": "net_metering"}),
        ({"dgRules": "net metering"}, {"scheme": "net_metering"}),
        ({"usenetmetering": True}, {"scheme": "net_metering"}),
        ({"usenetmetering": False}, None),
        ({}, None),
    ],
)
def test_net_metering_is_read(fields: dict[str, Any], export: dict[str, str] | None) -> None:
    """By whatever field tells it."""
    found = charges(rate(**fields), exports="include").get("export")

    assert found == (export and {"kind": "export", "code": "export", **export})


@pytest.mark.parametrize(
    ("rules", "scheme"),
    [
        ("Net Billing Instantaneous", {"scheme": "net_billing"}),
        ("Net Billing Hourly", {"scheme": "net_billing", "netting": "hour"}),
        ("Buy All Sell All", {"scheme": "buy_all_sell_all"}),
        (None, {"scheme": "net_billing"}),
    ],
)
def test_prices_to_sell_at_are_read(rules: str | None, scheme: dict[str, str]) -> None:
    """With its schedule where periods differ; without rules, net billing is assumed and told."""
    document = rate([{"rate": 1, "sell": "0.05"}], [{"rate": 2, "sell": "0.09"}], dgrules=rules)

    found = charges(document, exports="include")["export"]

    assert {name: found[name] for name in ("scheme", "netting") if name in found} == scheme
    assert found["rates"] == {"period_0": "0.05", "period_1": "0.09"}
    codes = [one.code for one in read(document, exports="include").warnings]
    assert ("scheme_assumed" in codes) == (rules is None)


def test_exports_are_left_out_unless_asked() -> None:
    """A plain consumer has no readings of them, and its rate asks for none."""
    document = rate([{"rate": 1, "sell": "0.05"}], dgrules="Net Billing Hourly")

    assert list(charges(document)) == ["energy"]
    assert warned(document)["/dgrules"] == "exports_left_out"
    assert warned(document, exports="include")["/dgrules"] == "needs_export"


def test_a_rate_that_only_sells_costs_nothing() -> None:
    """It is told."""
    document = rate([{"sell": "0.05"}])

    assert charges(document)["energy"]["rate"] == "0"
    assert warned(document)["/energyratestructure/0/0"] == "sell_only"
