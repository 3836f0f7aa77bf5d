"""Where the lines of a bill come from, by what it was made from."""

from typing import Any

import pytest

from tests.core.billing.setting import (
    CHANNEL,
    CONTRACT,
    FLAT,
    RATCHET,
    day,
    draft,
    hours,
    issued,
    meter,
    refusal,
    store_household,
    success,
    tariff,
    tariff_of,
)
from tests.core.billing.test_check import ENERGY, FEE
from tests.serving import Client

#: 3 kWh at a third of a real, short: 0.99999.
THIRDS = {**ENERGY, "rates": {"peak": "0.33333", "rest": "0.50"}}
PATH = "/v1/bills/b/explain"


@pytest.fixture
async def billed(client: Client) -> Client:
    """Give a client of a home with the issued bill `b` of Saturday the first."""
    await store_household(client, tariff(THIRDS, FEE))
    assert (await issued(client, "b", 1))["total"] == "12.50"
    return client


async def lines(client: Client, query: str = "") -> list[Any]:
    """Return the explained lines of the bill `b`."""
    found: list[Any] = (await success(client, "GET", PATH + query))["lines"]
    return found


async def test_a_line_says_which_slots_by_which_rule(billed: Client) -> None:
    """The evening is the rule's; what no rule takes is the default, in two runs."""
    peak, rest, fee = await lines(billed)

    assert peak["calendar"] == {
        "clock": "UTC",
        "unit": "kWh",
        "rules": [{"rule": 0, "text": "peak: all 18:00-21:00", "slots": 3, "quantity": "3"}],
        "runs": [
            {
                "start": "2025-03-01T18:00:00Z",
                "end": "2025-03-01T21:00:00Z",
                "slots": 3,
                "rule": 0,
                "quantity": "3",
            }
        ],
    }
    assert [(run["slots"], run["quantity"]) for run in rest["calendar"]["runs"]] == [
        (18, "18"),
        (3, "3"),
    ]
    assert [rule["text"] for rule in rest["calendar"]["rules"]] == ["rest: what no rule takes"]
    assert "calendar" not in fee or fee["calendar"] is None


async def test_the_arithmetic_is_exact_and_the_rounding_is_said(billed: Client) -> None:
    """3 x 0.33333 are 0.99999: half up to 1.00, which leaves -0.00001."""
    peak, _, fee = await lines(billed)

    assert peak["arithmetic"]["expression"] == "3 kWh x 0.33333 BRL/kWh"
    assert peak["arithmetic"]["value"] == "0.99999"
    rounding = peak["rounding"]
    assert (rounding["mode"], rounding["decimals"], rounding["level"]) == ("half_up", 2, "line")
    assert (rounding["exact"], rounding["amount"]) == ("0.99999", "1.00")
    assert rounding["residue"] == "-0.00001"
    assert fee["arithmetic"]["expression"] == "(1/31) month x 31 BRL/month"
    assert fee["arithmetic"]["value"] == "1"
    measure = peak["measures"][0]
    assert (measure["label"], measure["raw"], measure["unit"]) == ("peak", 3_000_000, "kWh")


async def test_a_bill_says_what_it_was_made_from(billed: Client) -> None:
    """Tariff and version, plugins, the revision of the readings, the charges as they were."""
    found = await success(billed, "GET", PATH)
    bill = await success(billed, "GET", "/v1/bills/b")

    assert (found["bill"], found["contract"], found["total"]) == ("b", "c", "12.50")
    assert found["inputs"] == bill["inputs"]
    assert (found["inputs"]["tariff"], found["inputs"]["version"]) == ("flat", "2025-01-01")
    assert set(found["inputs"]["plugins"]) == {"tariff-time-of-use", "tariff-fixed"}
    (read,) = found["inputs"]["readings"]
    assert (read["role"], read["channel"]) == ("import", "import")
    assert read["revision_at"] < bill["created_at"]
    assert found["charges"]["energy"]["rates"] == {"peak": "0.33333", "rest": "0.50"}
    assert [one["line"] for one in found["lines"]] == bill["lines"]


async def test_one_line_is_explained_alone(billed: Client) -> None:
    """Lines count from 0; one beyond the last is refused."""
    (fee,) = await lines(billed, "?line=2")

    assert fee["line"]["code"] == "fee"
    for wrong in ("3", "-1"):
        found = await refusal(billed, "GET", f"{PATH}?line={wrong}")
        assert found == (422, "invalid", {"/query/line": "out_of_range"})


async def test_corrected_readings_change_no_explanation(billed: Client) -> None:
    """It is by the readings that the bill saw, however often they are corrected."""
    before = await success(billed, "GET", PATH)
    await hours(billed, 1, 2)
    await hours(billed, 1, 3)

    after = await success(billed, "GET", PATH)

    assert after == before
    assert all(line["reproduced"] for line in after["lines"])


async def test_what_was_missing_stays_missing(household: Client) -> None:
    """Readings that came after the bill are not in its explanation."""
    body = {"id": "b", "contract": "c", **day(10, 12), "missing": "zero"}
    await success(household, "POST", "/v1/bills", body)
    await success(household, "POST", "/v1/bills/b/issue")
    await hours(household, 11, 5)

    (line,) = await lines(household)

    assert (line["line"]["quantity"], line["reproduced"]) == ("24", True)
    (run,) = line["calendar"]["runs"]
    assert (run["slots"], run["quantity"]) == (48, "24")


async def test_a_bill_without_any_readings_is_explained(household: Client) -> None:
    """Nothing was read: all is missing, taken as zero."""
    body = {"id": "b", "contract": "c", **day(20), "missing": "zero"}
    await success(household, "POST", "/v1/bills", body)
    await success(household, "POST", "/v1/bills/b/issue")
    await hours(household, 20, 1)

    (line,) = await lines(household)

    assert (line["line"]["amount"], line["reproduced"]) == ("0.00", True)


async def test_what_is_new_since_changes_no_explanation(billed: Client) -> None:
    """Neither other parameters of the contract, nor a version that asks for one, nor a name."""
    before = await success(billed, "GET", PATH)
    fee = {**FEE, "amount": {"parameter": "fee"}}
    used = {**tariff(THIRDS, FEE)["versions"][0], "valid_to": "2025-03-05"}
    later = {"valid_from": "2025-03-05", "charges": [fee]}
    await success(billed, "PUT", "/v1/tariffs/flat", tariff_of(used, later) | {"name": "New"})
    await success(billed, "PUT", "/v1/contracts/c", {**CONTRACT, "parameters": {"fee": "62"}})
    await success(billed, "PUT", "/v1/sites/home", SITE_RENAMED)

    assert await success(billed, "GET", PATH) == before


SITE_RENAMED = {"name": "Away", "timezone": "UTC", "country": "JP", "currency": "JPY"}


async def test_what_charges_remember_is_shown(client: Client) -> None:
    """The state before and the one after; what is charged is not what was measured."""
    await store_household(client, tariff(RATCHET))
    state = {"test.ratchet": {"most": "30000000"}}
    body = {"id": "b", "contract": "c", **day(1), "state": state}
    await success(client, "POST", "/v1/bills", body)

    found = await success(client, "GET", PATH)

    assert (found["prior_state"], found["state"]) == (state, state)
    (line,) = found["lines"]
    assert (line["line"]["quantity"], line["measures"][0]["quantity"]) == ("30", "24")


async def test_a_draft_is_explained_as_long_as_it_stands(household: Client) -> None:
    """409 `draft_outdated` once something else would be billed, whatever the reason."""
    await draft(household, "b", 1)
    assert [line["reproduced"] for line in await lines(household)] == [True]

    await success(household, "PUT", "/v1/tariffs/flat", tariff({**FLAT, "rate": "0.60"}))
    assert (await refusal(household, "GET", PATH))[:2] == (409, "draft_outdated")
    other = {**tariff()["versions"][0], "valid_from": "2025-02-01"}
    await success(household, "PUT", "/v1/tariffs/flat", tariff_of(other))
    await hours(household, 1, 2)
    assert (await refusal(household, "GET", PATH))[:2] == (409, "draft_outdated")
    await draft(household, "b", 1)
    assert (await lines(household))[0]["line"]["amount"] == "24.00"


async def test_a_draft_of_a_version_of_another_day_is_outdated(household: Client) -> None:
    """It would show the same amounts, by another version."""
    await draft(household, "b", 1)
    other = {**tariff()["versions"][0], "valid_from": "2025-02-01"}

    await success(household, "PUT", "/v1/tariffs/flat", tariff_of(other))

    assert (await refusal(household, "GET", PATH))[:2] == (409, "draft_outdated")


async def test_a_channel_that_is_gone_is_said(household: Client) -> None:
    """A channel without readings may go; what was billed of it cannot be read again."""
    await meter(household, "m", CHANNEL, {**CHANNEL, "id": "more"})
    names = {**CONTRACT, "channels": {"import": ["import", "more"]}}
    await success(household, "PUT", "/v1/contracts/c", names)
    body = {"id": "b", "contract": "c", **day(1), "missing": "zero"}
    await success(household, "POST", "/v1/bills", body)
    await success(household, "POST", "/v1/bills/b/issue")
    await meter(household, "m", CHANNEL)
    await hours(household, 1, 2)

    assert (await refusal(household, "GET", PATH))[:2] == (409, "conflict")
    (affected,) = (await success(household, "GET", "/v1/bills?affected=true"))["items"]
    assert affected["impact"]["problem"]["errors"][0]["code"] == "unknown_channel"


async def test_a_rate_that_a_later_charge_changed_is_explained(client: Client) -> None:
    """A bill keeps how the rate came about."""
    discount = {"kind": "percent", "percent": "-10", "form": "inside"}
    await store_household(client, tariff(FLAT, discount))
    await issued(client, "b", 1)

    (line,) = await lines(client)
    assert line["replaced_by"] == ["percent"]
    assert line["arithmetic"]["rate"] == ["Discount 10%: 0.5 x (1 + -10 %) = 0.45"]
