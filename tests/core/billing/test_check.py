"""Checking a bill against what its supplier printed."""

from typing import Any

import pytest

from tests.core.billing.setting import hours, issued, refusal, store_household, success, tariff
from tests.serving import Client

EVENING = {"period": "peak", "days": ["all"], "from": "18:00", "to": "21:00"}
ENERGY = {
    "kind": "energy.time_of_use",
    "code": "energy",
    "description": "Energy",
    "schedule": {"default": "rest", "rules": [EVENING]},
    "rates": {"peak": "1.00", "rest": "0.50"},
}
FEE = {"kind": "fixed", "code": "fee", "description": "Basic fee", "amount": "31", "per": "month"}
#: 3 kWh at 1.00, 21 kWh at 0.50, a thirty-first of 31: 14.50.
PRINTED = [
    {"code": "energy.peak", "description": "Ponta", "quantity": "3", "amount": "3.00"},
    {"code": "energy.rest", "description": "Fora ponta", "quantity": "21.0", "amount": "10.50"},
    {"description": "Basic fee", "amount": "1.00"},
]


@pytest.fixture
async def billed(client: Client) -> Client:
    """Give a client of a home with the issued bill `b` of three lines."""
    await store_household(client, tariff(ENERGY, FEE))
    bill = await issued(client, "b", 1)
    codes = {line["code"]: line["amount"] for line in bill["lines"]}
    assert codes == {"energy.peak": "3.00", "energy.rest": "10.50", "fee": "1.00"}
    return client


async def checked(client: Client, total: str, *lines: dict[str, Any], **more: Any) -> Any:
    """Check the bill `b`."""
    body = {"lines": list(lines), "total": total, **more}
    return await success(client, "POST", "/v1/bills/b/check", body)


def results(check: Any) -> dict[str, str]:
    """Return how each line compares, by its description."""
    return {line["description"]: line["result"] for line in check["lines"]}


async def test_what_is_the_same_matches(billed: Client) -> None:
    """Lines by their code, or by their description, and the total."""
    found = await checked(billed, "14.50", *PRINTED)

    assert found["result"] == "match"
    assert (found["supplier_sum"], found["adds_up"]) == ("14.50", True)
    assert found["total"] == {
        "result": "match",
        "billed": "14.50",
        "supplier": "14.50",
        "difference": "0.00",
    }
    assert [(line["code"], line["result"]) for line in found["lines"]] == [
        ("energy.peak", "match"),
        ("energy.rest", "match"),
        ("fee", "match"),
    ]


@pytest.mark.parametrize(
    ("tolerance", "amount", "result"),
    [
        ("0", "1.01", "mismatch"),
        ("0.01", "1.01", "within_tolerance"),
        ("0.01", "0.99", "within_tolerance"),
        ("0.01", "1.02", "mismatch"),
        ("5", "1.00", "match"),
    ],
)
async def test_amounts_may_differ_by_the_tolerance(
    billed: Client, tolerance: str, amount: str, result: str
) -> None:
    """To either side, the tolerance included; the worst line is the result."""
    fee = {"code": "fee", "description": "Fee", "amount": amount}
    total = {"1.01": "14.51", "0.99": "14.49", "1.02": "14.52"}.get(amount, "14.50")

    found = await checked(billed, total, *PRINTED[:2], fee, tolerance=tolerance)

    assert (found["result"], found["adds_up"]) == (result, True)
    assert results(found)["Basic fee"] == result


async def test_a_difference_is_theirs_less_ours(billed: Client) -> None:
    """A supplier that charges more has a positive one."""
    fee = {"code": "fee", "description": "Fee", "amount": "1.75"}

    found = await checked(billed, "14.50", *PRINTED[:2], fee)

    assert found["lines"][2]["amount"] == {
        "result": "mismatch",
        "billed": "1.00",
        "supplier": "1.75",
        "difference": "0.75",
    }


async def test_several_lines_of_one_code_are_added_up(billed: Client) -> None:
    """9.50 + 1.00 are our 10.50, 19 + 2 kWh our 21."""
    parts = [
        {"code": "energy.rest", "description": "One", "quantity": "19", "amount": "9.50"},
        {"code": "energy.rest", "description": "Two", "quantity": "2", "amount": "1.00"},
    ]

    found = await checked(billed, "14.50", PRINTED[0], *parts, PRINTED[2])

    rest = found["lines"][1]
    assert (found["result"], rest["amount"]["supplier"]) == ("match", "10.50")
    assert (rest["quantity"]["supplier"], rest["quantity"]["result"]) == ("21", "match")


async def test_descriptions_match_whatever_their_case_and_spaces(billed: Client) -> None:
    """`BASIC  FEE` is our `Basic fee`; what describes no line is unknown."""
    loud = {"description": " BASIC  FEE ", "amount": "1.00"}

    assert (await checked(billed, "14.50", *PRINTED[:2], loud))["result"] == "match"
    found = await checked(billed, "14.50", *PRINTED[:2], {**loud, "description": "Fee"})
    assert results(found) == {
        "Energy, peak": "match",
        "Energy, rest": "match",
        "Basic fee": "unknown",
        "Fee": "unknown",
    }
    assert (found["result"], found["adds_up"]) == ("unknown", True)


async def test_a_code_that_we_do_not_have_is_unknown(billed: Client) -> None:
    """A code says what is meant: the description does not help it."""
    other = {"code": "tax", "description": "Basic fee", "amount": "1.00"}

    found = await checked(billed, "14.50", *PRINTED, other)

    assert found["lines"][-1] == {
        "code": "tax",
        "description": "Basic fee",
        "result": "unknown",
        "amount": {"result": "unknown", "supplier": "1.00"},
    }
    assert (found["result"], found["adds_up"]) == ("unknown", False)


async def test_a_mismatch_is_worse_than_an_unknown_line(billed: Client) -> None:
    """A line that they lack is unknown; the total that differs by it is a mismatch."""
    found = await checked(billed, "13.50", *PRINTED[:2])

    assert results(found)["Basic fee"] == "unknown"
    assert (found["result"], found["total"]["result"]) == ("mismatch", "mismatch")
    assert (found["total"]["difference"], found["adds_up"]) == ("-1.00", True)


@pytest.mark.parametrize(
    ("printed", "ours", "result"),
    [
        ("2.592576", "2.592576", "match"),
        ("2.593", "2.593", "match"),
        ("2.59", "2.59", "match"),
        ("2.58", "2.59", "mismatch"),
        ("2.590", "2.593", "mismatch"),
        ("3", "3", "match"),
        ("2", "3", "mismatch"),
    ],
)
async def test_quantities_are_held_to_the_decimals_printed(
    client: Client, printed: str, ours: str, result: str
) -> None:
    """21 hours of 0.123456 kWh are 2.592576 kWh, which nobody prints in full."""
    await store_household(client, tariff(ENERGY))
    await hours(client, 1, 0.123456)
    await issued(client, "b", 1)
    line = {"code": "energy.rest", "description": "", "quantity": printed, "amount": "1.30"}

    found = (await checked(client, "1.67", line))["lines"][1]

    assert (found["quantity"]["billed"], found["quantity"]["result"]) == (ours, result)
    assert (found["amount"]["result"], found["result"]) == ("match", result)


async def test_a_quantity_that_is_not_printed_is_not_compared(billed: Client) -> None:
    """Of two lines of one code, one without a quantity says nothing of the sum."""
    parts = [
        {"code": "energy.rest", "description": "One", "quantity": "1", "amount": "9.50"},
        {"code": "energy.rest", "description": "Two", "amount": "1.00"},
    ]

    found = await checked(billed, "14.50", PRINTED[0], *parts, PRINTED[2])

    assert "quantity" not in found["lines"][1]
    assert found["result"] == "match"


async def test_lines_of_no_amount_need_no_twin(client: Client) -> None:
    """A bill that agrees to the centavo is a match (p01): what costs nothing is not printed."""
    energy = {"kind": "energy.flat", "code": "energy", "rate": "1.00"}
    nothing = {"kind": "percent", "code": "discount", "percent": "0"}
    await store_household(client, tariff(energy, nothing))
    await issued(client, "b", 1)
    line = {"code": "energy", "description": "Consumo", "amount": "24.00"}
    theirs = {"description": "ICMS, in the price", "amount": "0.00"}

    found = await checked(client, "24.00", line, theirs)

    assert [(line.get("code"), line["result"]) for line in found["lines"]] == [
        ("energy", "match"),
        ("discount", "match"),
        (None, "match"),
    ]
    assert (found["result"], found["adds_up"]) == ("match", True)


async def test_our_rounding_of_the_total_needs_no_twin(client: Client) -> None:
    """Where the totals match, so does the line that makes up for rounding (case o01)."""
    energy = {"kind": "energy.flat", "code": "energy", "rate": "0.8"}
    body = tariff(energy)
    body["versions"][0]["rounding"] = {"level": "total", "amount_decimals": 0}
    await store_household(client, body)
    bill = await issued(client, "b", 1)
    line = {"code": "energy", "description": "Energy", "amount": "19.20"}

    found = await checked(client, "19", line)
    other = await checked(client, "20", line)

    assert [(line["code"], line["amount"]) for line in bill["lines"]] == [
        ("energy", "19.20"),
        ("rounding", "-0.20"),
    ]
    assert (found["result"], found["lines"][1]["result"]) == ("match", "match")
    assert (other["result"], other["lines"][1]["result"]) == ("mismatch", "mismatch")


async def test_a_line_of_several_periods_is_named_by_the_charge(billed: Client) -> None:
    """A supplier that prints one line for all periods: 24 kWh, 3.00 + 10.50."""
    energy = {"code": "energy", "description": "Energia", "quantity": "24", "amount": "13.50"}

    found = await checked(billed, "14.50", energy, PRINTED[2])

    assert results(found) == {"Energia": "match", "Basic fee": "match"}
    assert found["lines"][0]["quantity"]["billed"] == "24"
    assert found["result"] == "match"


async def test_what_cannot_be_checked_is_refused(billed: Client) -> None:
    """A tolerance below nothing, a total that is no number, a bill that is not there."""
    body = {"total": "much", "tolerance": "-1", "lines": [{"amount": "1"}]}

    assert await refusal(billed, "POST", "/v1/bills/b/check", body) == (
        422,
        "invalid",
        {
            "/total": "wrong_type",
            "/tolerance": "out_of_range",
            "/lines/0/description": "missing_field",
        },
    )
    assert (await refusal(billed, "POST", "/v1/bills/x/check", {"total": "1"}))[0] == 404
