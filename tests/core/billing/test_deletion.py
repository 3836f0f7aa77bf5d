"""What is deleted because a law asks for it, and what is kept."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest

from energia.billing import retention
from energia.billing.deletion import delete_meter, delete_readings
from energia.db.pool import Limits, Pool
from energia.db.tenant import Tenant
from energia.errors import NotFound
from energia.metering import deletion
from energia.metering.deletion import Asked
from energia.settings import Jobs, Readings, Settings
from energia.time import earlier, instant_of
from tests.core.billing.fakes import Heard, plugins
from tests.core.billing.setting import (
    CHANNEL,
    SITE,
    day,
    draft,
    hours,
    issued,
    meter,
    refusal,
    store_household,
    success,
    tariff,
)
from tests.core.pricing.asking import answer_of
from tests.serving import LOOPBACK, Client, Serving, make_core

READINGS = "/v1/meters/m/readings"
WHY = "reason=request+17"
DELETE = f"{READINGS}?before=2025-03-05&{WHY}"
NOW = datetime(2025, 3, 20, tzinfo=UTC)
MARCH = "start=2025-03-01&end=2025-03-11"


async def values(client: Client, query: str = MARCH) -> list[float | None]:
    """Return the stored readings of the meter `m`."""
    found: list[float | None] = (await success(client, "GET", f"{READINGS}?{query}"))["values"]
    return found


async def test_readings_before_a_day_are_gone_with_their_revisions(
    household: Client, pool: Pool
) -> None:
    """Four days go, those that were corrected since as well; what follows stays as it is."""
    await hours(household, 4, 2, 2)

    deletion = await success(household, "DELETE", DELETE)

    assert (deletion["meter"], deletion["readings"]) == ("m", 4 * 24)
    assert (deletion["before"], deletion["reason"]) == ("2025-03-05T00:00:00Z", "request 17")
    assert await values(household) == [None] * 96 + [2] * 24 + [1] * 120
    kept = await pool.tenant().fetch(str, "select day::text from reading_day_history")
    assert kept == ["2025-03-05"]


async def test_the_day_of_the_site_is_cut_within_a_block(client: Client) -> None:
    """Midnight in Sao Paulo is 03:00 in UTC: three hours of the block go, the others stay."""
    await success(client, "PUT", "/v1/sites/home", {**SITE, "timezone": "America/Sao_Paulo"})
    await meter(client)
    await hours(client, 4, 1, 1)
    await hours(client, 5, 2)

    await success(client, "DELETE", DELETE)

    found = await values(client, "start=2025-03-05T00:00:00Z&end=2025-03-06T00:00:00Z")
    assert found == [None] * 3 + [2] * 21


async def test_qualities_are_cut_as_values_are(client: Client, pool: Pool) -> None:
    """What stays of a block keeps its qualities; of what goes nothing is known any more."""
    await success(client, "PUT", "/v1/sites/home", {**SITE, "timezone": "America/Sao_Paulo"})
    await meter(client)
    reading = {"meter": "m", "value": 1, "quality": "estimated"}
    starts = ("2025-03-05T02:00:00Z", "2025-03-05T03:00:00Z")
    body = {"readings": [{**reading, "start": start} for start in starts]}
    await success(client, "POST", "/v1/readings", body)

    await success(client, "DELETE", DELETE)

    window = "start=2025-03-05T02:00:00Z&end=2025-03-05T04:00:00Z"
    answer = await success(client, "GET", f"{READINGS}?{window}")
    assert answer["values"] == [None, 1]
    assert answer["quality"] == [
        {"from": 0, "to": 1, "code": "missing"},
        {"from": 1, "to": 2, "code": "estimated"},
    ]


async def test_a_block_of_which_nothing_is_left_goes(client: Client) -> None:
    """After all readings are deleted the meter can be: nothing is left in its last block."""
    await success(client, "PUT", "/v1/sites/home", {**SITE, "timezone": "America/Sao_Paulo"})
    await meter(client)
    reading = {"meter": "m", "start": "2025-03-05T02:00:00Z", "value": 1}
    await success(client, "POST", "/v1/readings", {"readings": [reading]})

    await success(client, "DELETE", DELETE)

    await success(client, "DELETE", "/v1/meters/m")


async def test_gaps_say_that_readings_were_deleted(household: Client) -> None:
    """What was never sent is another gap, also right after."""
    await success(household, "DELETE", DELETE)
    await success(household, "DELETE", f"{READINGS}?before=2025-03-06&{WHY}")

    window = "start=2025-02-28&end=2025-03-12"
    gaps = (await success(household, "GET", f"/v1/meters/m/gaps?{window}"))["items"]

    assert [(gap["slots"], gap["reason"]) for gap in gaps] == [
        (6 * 24, "deleted"),
        (24, "never_sent"),
    ]


async def test_deleted_readings_are_not_stored_again(household: Client) -> None:
    """Whoever sends them is refused; with `skip` what is of later is stored."""
    await success(household, "DELETE", DELETE)
    series = {"meter": "m", "start": "2025-03-04T23:00:00Z", "interval": "PT1H", "values": [5, 6]}

    refused = await refusal(household, "POST", "/v1/readings", {"series": [series]})
    outcome = await success(household, "POST", "/v1/readings?on_problem=skip", {"series": [series]})

    assert refused == (422, "invalid", {"/series/0/values/0": "deleted_by_law"})
    assert (outcome["rejected"], outcome["corrected"]) == (1, 1)
    assert await values(household, "start=2025-03-04T23:00:00Z&end=2025-03-05T01:00:00Z") == [
        None,
        6,
    ]


@pytest.mark.parametrize("path", ["readings", "usage", "gaps"])
async def test_what_was_known_of_deleted_readings_is_not_told(household: Client, path: str) -> None:
    """That nothing was known would be wrong, and what was known is gone."""
    await success(household, "DELETE", DELETE)
    known = "known_at=2025-03-20T00:00:00Z"

    status, code, _ = await refusal(household, "GET", f"/v1/meters/m/{path}?{MARCH}&{known}")
    later = f"/v1/meters/m/{path}?start=2025-03-05&end=2025-03-06&{known}"

    assert (status, code) == (422, "readings_deleted")
    await success(household, "GET", later)


@pytest.mark.parametrize("missing", ["refuse", "zero", "estimate"])
async def test_no_price_is_made_up_for_deleted_readings(household: Client, missing: str) -> None:
    """Neither a cost nor a bill, however missing readings are to be treated."""
    await success(household, "DELETE", DELETE)
    cost = {"meter": "m", "tariff": "flat", **day(1, 11), "missing": missing}
    bill = {"contract": "c", **day(4, 6), "missing": missing}

    assert (await refusal(household, "POST", "/v1/costs", cost))[:2] == (422, "readings_deleted")
    assert (await refusal(household, "POST", "/v1/bills", bill))[:2] == (422, "readings_deleted")
    assert (await draft(household, "later", 5))["total"] == "12.00"


async def test_an_issued_bill_is_kept_and_explained_by_its_measures(household: Client) -> None:
    """Its lines, arithmetic and measures are there; the slots of its lines are not."""
    before = await issued(household, "b", 1, 4)
    await success(household, "DELETE", DELETE)

    bill = await success(household, "GET", "/v1/bills/b")
    explained = await success(household, "GET", "/v1/bills/b/explain")

    assert bill == {**before, "readings_deleted": True}
    assert explained["readings_deleted"] is True
    (line,) = explained["lines"]
    assert line["arithmetic"]["expression"] == "72 kWh x 0.50 BRL/kWh"
    assert [measure["quantity"] for measure in line["measures"]] == ["72"]
    assert (line["calendar"], line["reproduced"]) == (None, False)


async def test_a_bill_of_later_is_explained_slot_by_slot(household: Client) -> None:
    """It starts where the deletion ends, and reads the same readings."""
    await issued(household, "b", 5)
    await success(household, "DELETE", DELETE)

    explained = await success(household, "GET", "/v1/bills/b/explain")

    assert explained["readings_deleted"] is False
    assert explained["lines"][0]["calendar"]["runs"][0]["slots"] == 24
    assert explained["lines"][0]["reproduced"] is True


async def test_a_bill_of_deleted_readings_is_not_corrected(household: Client) -> None:
    """It is affected by another contract, and the answer says why nothing is in its place."""
    await issued(household, "b", 1)
    await success(household, "DELETE", DELETE)
    unaffected = await success(household, "GET", "/v1/bills?affected=true")
    changed = tariff({"kind": "energy.flat", "rate": "0.75"})
    await success(household, "PUT", "/v1/tariffs/flat?correction=wrong+rate", changed)

    (bill,) = (await success(household, "GET", "/v1/bills?affected=true"))["items"]
    refused = await refusal(household, "POST", "/v1/bills", {"corrects": "b"})

    assert unaffected["items"] == []
    assert bill["impact"]["reasons"] == ["tariff"]
    assert bill["impact"]["problem"]["code"] == "readings_deleted"
    assert refused[:2] == (422, "readings_deleted")


async def test_drafts_and_sums_of_growing_bills_go(household: Client, pool: Pool) -> None:
    """They are made from the readings; a draft of later days stays."""
    await draft(household, "before", 1)
    await draft(household, "after", 5)
    await success(household, "GET", "/v1/contracts/c/to-date")

    await success(household, "DELETE", DELETE)

    assert (await answer_of(household, "GET", "/v1/bills/before"))[0] == 404
    assert (await answer_of(household, "GET", "/v1/bills/after"))[0] == 200
    assert await pool.tenant().fetch(int, "select count(*) from cost_to_date") == [0]


async def test_problems_that_quote_values_are_forgotten(household: Client) -> None:
    """Those of imports that name the meter, the counts stay; others keep theirs."""
    await meter(household, "other")
    wrong = {"start": "2025-03-01T00:00:00Z", "interval": "PT1H", "values": [1e40, 7]}
    imports = [
        (
            await success(
                household,
                "POST",
                "/v1/readings?on_problem=skip",
                {"series": [{**wrong, "meter": name}]},
            )
        )["import"]
        for name in ("m", "other")
    ]

    await success(household, "DELETE", DELETE)

    of_m, of_other = [await success(household, "GET", f"/v1/imports/{one}") for one in imports]
    assert (of_m["problems"], of_m["rejected"]) == ([], 1)
    assert [problem["code"] for problem in of_other["problems"]] == ["out_of_range"]


async def test_the_limits_of_a_caller_hide_no_import_that_quotes(
    household: Client, pool: Pool
) -> None:
    """A caller that sees this meter alone deletes what the imports of others say of it."""
    series = {"meter": "m", "start": "2025-03-01T00:00:00Z", "interval": "PT1H", "values": [1e40]}
    path = "/v1/readings?on_problem=skip"
    import_ = (await success(household, "POST", path, {"series": [series]}))["import"]
    tenant = pool.tenant(1, "token:a", Limits("token:a", meters=frozenset({"m"})))

    await delete_readings(tenant, "m", date(2025, 3, 5), "request 17", instant_of(NOW))

    assert (await success(household, "GET", f"/v1/imports/{import_}"))["problems"] == []
    assert await values(household) == [None] * 96 + [1] * 144


async def test_a_limited_caller_deletes_its_own_meter_alone(household: Client, pool: Pool) -> None:
    """Another one is not there for it; that its own was deleted is remembered."""
    await meter(household, "other")
    tenant = pool.tenant(1, "token:a", Limits("token:a", meters=frozenset({"m"})))

    with pytest.raises(NotFound):
        await delete_meter(tenant, "other", "request 17", instant_of(NOW))
    deleted = await delete_meter(tenant, "m", "request 17", instant_of(NOW))

    assert (deleted.readings, deleted.caller) == (240, "token:a")
    listed = (await success(household, "GET", "/v1/deletions"))["items"]
    assert [one["meter"] for one in listed] == ["m"]
    assert [one["id"] for one in (await success(household, "GET", "/v1/meters"))["items"]] == [
        "other"
    ]


async def test_who_waits_for_a_deletion_stores_nothing_of_it(household: Client, pool: Pool) -> None:
    """Readings that arrive while it runs find it once they have their turn."""
    series = {"meter": "m", "start": "2025-03-04T00:00:00Z", "interval": "PT1H", "values": [5]}
    async with pool.tenant().transaction() as queries:
        asked = Asked("system", "request 17")
        await deletion.delete_readings(
            queries, "m", instant_of(datetime(2025, 3, 5, tzinfo=UTC)), asked
        )
        sent = asyncio.create_task(refusal(household, "POST", "/v1/readings", {"series": [series]}))
        await asyncio.sleep(0.1)
        assert not sent.done()

    assert (await sent)[2] == {"/series/0/values/0": "deleted_by_law"}


async def test_days_to_come_are_not_deleted(household: Client) -> None:
    """It would refuse the readings of tomorrow."""
    path = f"{READINGS}?before=2199-01-01&{WHY}"

    assert await refusal(household, "DELETE", path) == (
        422,
        "invalid",
        {"/query/before": "out_of_range"},
    )


@pytest.mark.parametrize("query", ["before=2025-03-05", "before=2025-03-05&reason=", WHY])
async def test_a_reason_and_a_day_are_needed(household: Client, query: str) -> None:
    """Nothing is deleted without."""
    assert (await refusal(household, "DELETE", f"{READINGS}?{query}"))[0] == 422
    assert await values(household) == [1] * 240


async def test_a_deletion_is_listed_and_audited(household: Client) -> None:
    """Who, when, why and how many readings, in both."""
    deletion = await success(household, "DELETE", DELETE)

    listed = (await success(household, "GET", "/v1/deletions?meter=m"))["items"]
    (entry,) = (await success(household, "GET", "/v1/audit?resource=deletion"))["items"]

    assert listed == [deletion]
    assert (entry["resource_id"], entry["action"]) == (str(deletion["id"]), "create")
    assert entry["after"]["reason"] == "request 17"
    assert (entry["after"]["meter_id"], entry["after"]["readings"]) == ("m", 96)


async def test_a_meter_goes_with_all_that_is_its_own(household: Client) -> None:
    """Readings, contract and draft; what was read of it until now is refused if it is made anew."""
    await draft(household, "d", 1)
    assert (await refusal(household, "DELETE", "/v1/meters/m"))[:2] == (409, "in_use")

    deletion = await success(household, "DELETE", f"/v1/meters/m/everything?{WHY}")

    assert deletion["readings"] == 240
    for path in ("/v1/meters/m", "/v1/contracts/c", "/v1/bills/d"):
        assert (await answer_of(household, "GET", path))[0] == 404
    await meter(household)
    reading = {"meter": "m", "start": "2025-03-04T00:00:00Z", "value": 1}
    refused = await refusal(household, "POST", "/v1/readings", {"readings": [reading]})
    assert refused[2] == {"/readings/0": "deleted_by_law"}


async def test_a_billed_meter_stays_for_its_bills_alone(household: Client) -> None:
    """It has neither readings, name nor serial; its contract ends where its bills do."""
    body = {"site": "home", "channels": [CHANNEL], "name": "Ana's house", "serial": "A-1"}
    await success(household, "PUT", "/v1/meters/m", body)
    await issued(household, "b", 1, 4)

    await success(household, "DELETE", f"/v1/meters/m/everything?{WHY}")

    meter_ = await success(household, "GET", "/v1/meters/m")
    assert meter_.keys() == {"id", "site", "channels"}
    assert await values(household) == [None] * 240
    assert (await success(household, "GET", "/v1/contracts/c"))["end"] == "2025-03-04"
    explained = await success(household, "GET", "/v1/bills/b/explain")
    assert (explained["total"], explained["readings_deleted"]) == ("36.00", True)


async def test_an_unknown_meter_is_not_found(household: Client) -> None:
    """For both calls."""
    for path in ("readings?before=2025-03-05&", "everything?"):
        status, code, _ = await refusal(household, "DELETE", f"/v1/meters/x/{path}{WHY}")
        assert (status, code) == (404, "not_found")


# Retention, by a setting.


@pytest.fixture
def keeping(pool: Pool) -> Any:
    """Give the core of a service that keeps readings for a year."""
    settings = Settings(outgoing=LOOPBACK, readings=Readings(retention="P1Y"))
    return make_core(plugins=plugins(Heard()), settings=settings, pool=pool)


async def test_old_readings_go_by_a_setting_and_bills_stay(keeping: Any, serving: Serving) -> None:
    """All of March 2025 is older than a year; it is said why, and counted."""
    idle = attrs.evolve(keeping.settings, jobs=Jobs(concurrency=0))
    async with serving(attrs.evolve(keeping, settings=idle)) as client:
        await store_household(client)
        await issued(client, "b", 1)
        await draft(client, "d", 2)

        deleted = await retention.expire(keeping)
        again = await retention.expire(keeping)

        assert (deleted, again) == (240, 0)
        (deletion,) = (await success(client, "GET", "/v1/deletions"))["items"]
        assert (deletion["meter"], deletion["readings"]) == (None, 240)
        assert (deletion["caller"], deletion["reason"]) == (
            "system",
            "readings.retention is P1Y",
        )
        assert (await success(client, "GET", "/v1/bills/b"))["readings_deleted"] is True
        assert (await answer_of(client, "GET", "/v1/bills/d"))[0] == 404
        gaps = (await success(client, "GET", f"/v1/meters/m/gaps?{MARCH}"))["items"]
        assert [gap["reason"] for gap in gaps] == ["deleted"]


async def test_a_service_lets_readings_go_by_itself(
    household: Client, keeping: Any, serving: Serving, tenant: Tenant
) -> None:
    """Once an hour; here at once."""
    assert await values(household) == [1] * 240
    soon = attrs.evolve(keeping.settings, jobs=Jobs(poll=0.1))
    async with serving(attrs.evolve(keeping, settings=soon)) as client:
        await tenant.execute("update procrastinate_jobs set scheduled_at = now()")
        async with asyncio.timeout(60):
            while not (await success(client, "GET", "/v1/deletions"))["items"]:
                await asyncio.sleep(0.02)

        assert await values(client) == [None] * 240
        series = {"meter": "m", "start": "2025-03-02T00:00:00Z", "interval": "PT1H", "values": [5]}
        refused = await refusal(client, "POST", "/v1/readings", {"series": [series]})
        assert refused[2] == {"/series/0/values/0": "deleted_by_law"}


async def test_without_the_setting_nothing_expires(household: Client, pool: Pool) -> None:
    """It is off by default."""
    assert Settings().readings.retention is None
    assert await retention.expire(make_core(pool=pool)) == 0
    assert await values(household) == [1] * 240


@pytest.mark.parametrize(
    ("day", "length", "first"),
    [
        ("2024-02-29", "P1Y", "2023-02-28"),
        ("2026-11-29", "P5Y", "2021-11-29"),
        ("2026-03-31", "P1M", "2026-02-28"),
        ("2026-01-15", "P13M", "2024-12-15"),
    ],
)
def test_months_and_years_are_those_of_the_calendar(day: str, length: str, first: str) -> None:
    """A month that has no such day has its last one."""
    assert earlier(date.fromisoformat(day), length) == date.fromisoformat(first)


async def test_reads_and_stretches_are_gone(client: Client, pool: Pool) -> None:
    """What registers showed before the day goes with its revisions, and is not stored again.

    The read from which the next one is counted stays.
    """
    register = {**CHANNEL, "id": "r", "interval": None, "kind": "register"}
    await success(client, "PUT", "/v1/sites/home", SITE)
    await meter(client, "m", register, {**register, "id": "i", "kind": "irregular"})
    reads = [
        {"channel": "r", "at": f"2025-03-{first:02}", "value": str(first)} for first in (1, 4, 9)
    ]
    stretch = {"channel": "i", "start": "2025-03-01", "end": "2025-03-02", "value": "7"}
    for value in ("1", "2"):
        sent = [{**reads[0], "value": value}, *reads[1:]]
        await success(client, "POST", "/v1/meters/m/registers", {"reads": sent})
    await success(client, "POST", "/v1/meters/m/stretches", {"stretches": [stretch]})

    deletion = await success(client, "DELETE", DELETE)

    assert deletion["readings"] == 2
    left = "select value::text from register_read order by read_at"
    assert await pool.tenant().fetch(str, left) == ["4", "9"]
    assert await pool.tenant().fetch(str, "select value::text from stretch") == []
    again = await refusal(client, "POST", "/v1/meters/m/registers", {"reads": reads[:2]})
    assert again[2] == {"/reads/0": "deleted_by_law", "/reads/1": "deleted_by_law"}
    again = await refusal(client, "POST", "/v1/meters/m/stretches", {"stretches": [stretch]})
    assert again[2] == {"/stretches/0": "deleted_by_law"}
