"""How many statements a price takes, and what they see."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

import pytest

from energia.db.connection import Result
from energia.db.pool import Pool
from tests.core.billing.setting import day, hours, success
from tests.serving import Client

MONTH = {"start": "2025-03-01", "end": "2025-03-11"}


@contextmanager
def messages(pool: Pool) -> Iterator[list[str]]:
    """Give the messages that are sent to the database meanwhile."""
    sent: list[str] = []

    def note(message: str, answer: Awaitable[Result]) -> Awaitable[Result]:
        sent.append(message)
        return answer

    pool.stats.statement_timers.append(note)
    yield sent
    pool.stats.statement_timers.remove(note)


async def test_a_stored_cost_reads_one_snapshot(household: Client, pool: Pool) -> None:
    """Tariff, meter with its channels, and readings: a statement each, in one transaction."""
    body = {"meter": "m", "tariff": "flat", **MONTH}
    with messages(pool) as sent:
        cost = await success(household, "POST", "/v1/costs", body)

    assert cost["total"] == "120.00"
    assert sent[0].startswith("begin isolation level repeatable read, read only; ")
    assert (len(sent), sent[-1]) == (4, "commit")


async def test_inline_costs_ask_no_database(client: Client, pool: Pool) -> None:
    """With usage and tariff in the request nothing is read."""
    flat = {
        "name": "Flat",
        "currency": "BRL",
        "timezone": "UTC",
        "versions": [
            {"valid_from": "2025-01-01", "charges": [{"kind": "energy.flat", "rate": "2"}]}
        ],
    }
    channels = {"import": {"start": "2025-03-01T00:00:00Z", "values": [1]}}
    given = {"timezone": "UTC", "interval": "PT1H", "channels": channels}
    with messages(pool) as sent:
        cost = await success(client, "POST", "/v1/costs", {"usage": given, "tariff": flat})

    assert (cost["total"], sent) == ("2.00", [])


@pytest.mark.parametrize(("what", "most"), [("draft", 9), ("issue", 9)])
async def test_bills_take_few_statements(
    household: Client, pool: Pool, what: str, most: int
) -> None:
    """Each lock, each kind of input and each write is a message; the commit is the last one."""
    draft = {"id": "b", "contract": "c", **MONTH}
    if what == "issue":
        await success(household, "POST", "/v1/bills", draft)
    with messages(pool) as sent:
        if what == "draft":
            bill = await success(household, "POST", "/v1/bills", draft)
        else:
            bill = await success(household, "POST", "/v1/bills/b/issue")

    assert (bill["total"], sent[-1]) == ("120.00", "commit")
    assert len(sent) <= most


async def test_an_explanation_reads_what_the_bill_read(household: Client, pool: Pool) -> None:
    """The bill, its tariff, contract and channels, and the pinned readings: a statement each."""
    await success(household, "POST", "/v1/bills", {"id": "b", "contract": "c", **day(1)})
    await success(household, "POST", "/v1/bills/b/issue")
    await hours(household, 1, 5)
    with messages(pool) as sent:
        explanation = await success(household, "GET", "/v1/bills/b/explain")

    assert explanation["total"] == "12.00"
    assert len(sent) == 5
