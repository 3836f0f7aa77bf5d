"""What needs attention: `GET /v1/concerns`."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from energia.db.pool import Pool
from energia.settings import Auth, Settings
from tests.core.billing.fakes import Heard, plugins
from tests.core.billing.setting import (
    CHANNEL,
    CONTRACT,
    hours,
    issued,
    meter,
    store_household,
    success,
)
from tests.core.billing.test_statements_of_a_price import messages
from tests.core.metering.setting import FixedClock
from tests.serving import LOOPBACK, Client, Serving, make_core

#: Six hours after the last reading of the household.
NOW = datetime(2025, 3, 11, 6, tzinfo=UTC)


@pytest.fixture(name="clock")
def _clock() -> FixedClock:
    """Give the clock of the service."""
    return FixedClock(NOW)


@pytest.fixture(name="home")
async def _home(pool: Pool, serving: Serving, clock: FixedClock) -> AsyncIterator[Client]:
    """Give a client of a service with the household, a few hours after its last reading."""
    core = attrs.evolve(make_core(plugins=plugins(Heard()), pool=pool), clock=clock)
    async with serving(core) as client:
        await store_household(client)
        yield client


async def concerns(client: Client, query: str = "") -> list[dict[str, Any]]:
    """Return what needs attention."""
    items: list[dict[str, Any]] = (await success(client, "GET", f"/v1/concerns{query}"))["items"]
    return items


async def test_nothing_needs_attention_where_all_is_well(home: Client) -> None:
    """Readings up to now, a contract without an end, no bill that has changed."""
    assert await concerns(home) == []


async def test_a_gap_is_one_concern_with_all_that_is_missing(home: Client) -> None:
    """It goes from the first slot to the last one, and counts those that were never sent."""
    await hours(home, 12, 1)
    series = {"meter": "m", "interval": "PT1H", "start": "2025-03-13T04:00:00Z", "values": [1]}
    await success(home, "POST", "/v1/readings", {"series": [series]})

    (gap,) = await concerns(home)

    assert gap == {
        "kind": "readings.gap",
        "site": "home",
        "meter": "m",
        "channel": "import",
        "start": "2025-03-11T00:00:00Z",
        "end": "2025-03-13T04:00:00Z",
        "slots": 24 + 4,
    }


async def test_what_was_sent_as_missing_is_no_gap(home: Client) -> None:
    """Nobody waits for a value that its sender says there is none of."""
    await hours(home, 11, None)
    await hours(home, 12, 1)

    assert await concerns(home) == []


async def test_slots_before_the_first_reading_are_no_gap(home: Client) -> None:
    """A meter that began in the middle of a day has had no readings before."""
    await meter(home, "late")
    series = {"meter": "late", "interval": "PT1H", "start": "2025-03-10T12:00:00Z"}
    await success(home, "POST", "/v1/readings", {"series": [{**series, "values": [1] * 12}]})

    assert await concerns(home) == []


async def test_a_channel_that_got_nothing_for_long_is_silent(
    home: Client, clock: FixedClock
) -> None:
    """It says since when; it is no gap as long as nothing comes after it."""
    clock.time = datetime(2025, 3, 13, 1, tzinfo=UTC)

    (silent,) = await concerns(home)

    assert silent == {
        "kind": "readings.silent",
        "site": "home",
        "meter": "m",
        "channel": "import",
        "start": "2025-03-11T00:00:00Z",
    }


async def test_a_meter_without_a_contract_is_forgotten_after_a_month(
    home: Client, clock: FixedClock
) -> None:
    """It may have been exchanged; one that is billed goes on to be missed."""
    await meter(home, "old")
    await hours(home, 1, 1, meter="old")
    clock.time = datetime(2025, 3, 20, tzinfo=UTC)

    assert [one["meter"] for one in await concerns(home)] == ["m", "old"]

    clock.time = datetime(2025, 5, 20, tzinfo=UTC)

    assert [one["meter"] for one in await concerns(home)] == ["m"]


async def test_a_contract_without_any_reading_is_silent(home: Client) -> None:
    """There is no instant since when."""
    await meter(home, "new")
    await success(home, "PUT", "/v1/contracts/n", {**CONTRACT, "meter": "new"})

    assert [(one["kind"], one["meter"], one.get("start")) for one in await concerns(home)] == [
        ("readings.silent", "new", None)
    ]


async def test_a_contract_ends_soon_unless_another_one_follows(home: Client) -> None:
    """The day after its last one is told, within `webhooks.contract_days`."""
    await success(home, "PUT", "/v1/contracts/c", {**CONTRACT, "end": "2025-04-01"})

    (ending,) = await concerns(home)

    assert (ending["kind"], ending["contract"], ending["day"]) == (
        "contract.ending",
        "c",
        "2025-04-01",
    )

    await success(home, "PUT", "/v1/contracts/next", {**CONTRACT, "start": "2025-04-01"})

    assert await concerns(home) == []


async def test_a_bill_whose_readings_have_changed_is_affected(home: Client) -> None:
    """Of all sites the newest bill of a contract is looked at; of one, those before it too."""
    await issued(home, "first", 1, 5)
    await issued(home, "second", 5, 9)
    await hours(home, 2, 3)

    assert await concerns(home) == []
    assert [
        (one["kind"], one["bill"], one["day"]) for one in await concerns(home, "?site=home")
    ] == [("bill.affected", "first", "2025-03-01")]

    await hours(home, 6, 3)

    assert [one["bill"] for one in await concerns(home)] == ["second"]


async def test_a_list_goes_on_where_its_page_ended(home: Client) -> None:
    """Each page has its share, and the last one no `next`."""
    for name in ("a", "b", "c"):
        await meter(home, name)
        await success(home, "PUT", f"/v1/contracts/of-{name}", {**CONTRACT, "meter": name})

    first = await success(home, "GET", "/v1/concerns?limit=2")
    rest = await success(home, "GET", f"/v1/concerns?limit=2&cursor={first['next']}")

    assert [one["meter"] for one in (*first["items"], *rest["items"])] == ["a", "b", "c"]
    assert rest["next"] is None


async def test_only_what_the_caller_may_read_is_listed(
    pool: Pool, serving: Serving, home: Client
) -> None:
    """Who reads readings learns nothing of contracts, and the other way round."""
    await success(home, "PUT", "/v1/contracts/c", {**CONTRACT, "end": "2025-04-01"})
    await hours(home, 12, 1)
    secrets = {
        scope: (await success(home, "POST", "/v1/tokens", {"name": scope, "scopes": [scope]}))
        for scope in ("readings:read", "billing")
    }
    settings = Settings(outgoing=LOOPBACK, auth=Auth(required=True))
    core = make_core(plugins=plugins(Heard()), pool=pool, settings=settings)
    kinds = {}
    async with serving(attrs.evolve(core, clock=FixedClock(NOW))) as client:
        for scope, made in secrets.items():
            headers = {"Authorization": f"Bearer {made['token']}"}
            async with client.get("/v1/concerns", headers=headers) as answer:
                kinds[scope] = [one["kind"] for one in (await answer.json())["items"]]

    assert kinds == {"readings:read": ["readings.gap"], "billing": ["contract.ending"]}


async def test_readings_of_quarter_hours_off_the_day_are_placed_right(home: Client) -> None:
    """A gap within a day of a channel of quarter-hours is told to the slot."""
    await meter(home, "fine", {**CHANNEL, "interval": "PT15M"})
    for start, count in (("2025-03-10T00:00:00Z", 10), ("2025-03-10T04:30:00Z", 78)):
        series = {"meter": "fine", "interval": "PT15M", "start": start, "values": [1] * count}
        await success(home, "POST", "/v1/readings", {"series": [series]})

    (gap,) = await concerns(home)

    assert (gap["start"], gap["end"], gap["slots"]) == (
        "2025-03-10T02:30:00Z",
        "2025-03-10T04:30:00Z",
        8,
    )


async def test_more_meters_take_no_more_statements(home: Client, pool: Pool) -> None:
    """However many there are, and however many have gaps."""

    async def asked() -> int:
        with messages(pool) as sent:
            await concerns(home)
        return len(sent)

    await hours(home, 12, 1)
    few = await asked()
    for name in ("a", "b", "c", "d"):
        await meter(home, name)
        await success(home, "PUT", f"/v1/contracts/of-{name}", {**CONTRACT, "meter": name})
        await hours(home, 1, 1, meter=name)
        await hours(home, 5, 1, meter=name)

    assert await asked() == few
    assert len(await concerns(home)) == 9  # four of them are silent since, too
