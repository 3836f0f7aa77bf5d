"""Jobs over HTTP: begun, watched, cancelled, resumed; what they do is done once, or not at all."""

import asyncio
import csv
import gzip
import io
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from energia import Caller, Observed, hookimpl
from energia.core import Core
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.jobs.kinds import JobRetention, Running, Superseded
from energia.plugins import Plugins
from energia.settings import Jobs, Settings
from energia.web.job_probe import JobProbe
from energia_plugins import meter_csv, tariff_flat
from tests.core.billing.setting import day, hours, issued, meter, store_household, success
from tests.serving import LOOPBACK, Client, Serving, make_core

ASYNC = {"Prefer": "respond-async"}
QUICK = Jobs(heartbeat=1, poll=0.2, grace=0.1)
FILE = "start,value\n" + "".join(f"2025-04-01T{hour:02}:00:00Z,{hour}.5\n" for hour in range(24))
IMPORT = "/v1/imports?format=csv&meter=m&timezone=UTC"


@pytest.fixture(name="core")
def _core(pool: Pool) -> Core:
    """Give a service that works jobs off, with the bundled charges and CSV files."""
    settings = Settings(outgoing=LOOPBACK, jobs=QUICK)
    loaded = Plugins.of(tariff_flat=tariff_flat, meter_csv=meter_csv)
    return make_core(plugins=loaded, pool=pool, settings=settings)


@pytest.fixture(name="household")
async def _household(core: Core, serving: Serving) -> AsyncIterator[Client]:
    """Serve a home with a meter, ten days of readings, a tariff and a contract."""
    async with serving(core) as client:
        await store_household(client)
        yield client


@pytest.fixture(name="idle")
async def _idle(core: Core, serving: Serving) -> AsyncIterator[Client]:
    """Serve the same, where nobody works jobs off."""
    settings = attrs.evolve(core.settings, jobs=attrs.evolve(QUICK, concurrency=0))
    async with serving(attrs.evolve(core, settings=settings)) as client:
        await store_household(client)
        yield client


async def begun(client: Client, path: str, **sent: Any) -> Mapping[str, Any]:
    """Begin a job by a POST, and return it as it was answered."""
    async with client.post(path, headers=ASYNC, **sent) as answer:
        job: Mapping[str, Any] = await answer.json()
        assert answer.status == 202, job
        assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
        assert answer.headers["Preference-Applied"] == "respond-async"
    return job


async def ended(client: Client, job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a job once it has ended."""
    async with asyncio.timeout(30):
        while True:
            found = await success(client, "GET", f"/v1/jobs/{job['id']}")
            if found["ended_at"] is not None:
                return found
            await asyncio.sleep(0.01)


async def test_a_run_is_a_job_where_that_is_asked_for(household: Client) -> None:
    """It gives what the request itself would have given."""
    job = await begun(household, "/v1/bills/run", json=day(1, 3))
    done = await ended(household, job)

    assert (job["kind"], job["result"]) == ("bills.run", None)
    assert job["status"] in ("waiting", "running")  # a worker may have begun it by then
    assert (done["status"], done["problem"], done["tries"]) == ("succeeded", None, 1)
    assert done["progress"] == {"done": 1, "total": 1}
    assert done["result"] == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "issued": 0,
        "failures": 0,
        "failed": [],
    }
    (bill,) = (await success(household, "GET", "/v1/bills"))["items"]
    assert bill["total"] == "24.00"


async def test_a_run_over_many_contracts_is_a_job_by_itself(
    core: Core, pool: Pool, serving: Serving
) -> None:
    """Whether or not that was asked for."""
    settings = attrs.evolve(core.settings, jobs=attrs.evolve(QUICK, contracts=1))
    async with serving(attrs.evolve(core, settings=settings)) as client:
        await store_household(client)
        async with client.post("/v1/bills/run", json=day(1)) as answer:
            assert answer.status == 200
        await meter(client, "n")
        contract = {"meter": "n", "tariff": "flat", "start": "2025-03-01"}
        await success(client, "PUT", "/v1/contracts/d", contract)
        async with client.post("/v1/bills/run", json=day(1)) as answer:
            assert answer.status == 202


async def test_bills_are_corrected_by_a_job(household: Client) -> None:
    """Those that would be others now, and no others."""
    await issued(household, "a", 1)
    await issued(household, "b", 2)
    await hours(household, 2, 2)

    done = await ended(
        household, await success(household, "POST", "/v1/bills/reprice", {"issue": True})
    )

    assert (done["result"]["created"], done["result"]["issued"]) == (1, 1)
    bills = (await success(household, "GET", "/v1/bills"))["items"]
    totals = {(bill.get("corrects"), bill["status"]): bill["total"] for bill in bills}
    assert totals == {
        (None, "issued"): "12.00",
        (None, "corrected"): "12.00",
        ("b", "issued"): "24.00",
    }


async def test_a_file_is_stored_by_a_job(household: Client) -> None:
    """All of it, once; its file is not kept."""
    job = await begun(household, IMPORT, data=FILE)
    done = await ended(household, job)

    assert done["status"] == "succeeded", done
    assert done["progress"] == {"done": 1, "total": 1}
    assert (done["result"]["received"], done["result"]["created"]) == (24, 24)
    kept = await success(household, "GET", f"/v1/imports/{done['result']['import']}")
    assert kept["created"] == 24


async def test_a_file_that_does_not_fit_fails_its_job(household: Client) -> None:
    """With the problem that the request itself would have given; nothing of it is stored."""
    file = FILE + "2025-04-02T00:00:00Z,many\n"

    done = await ended(household, await begun(household, IMPORT, data=file))

    assert (done["status"], done["result"]) == ("failed", None)
    assert (done["problem"]["status"], done["problem"]["code"]) == (422, "invalid")
    (fault,) = done["problem"]["errors"]
    assert (fault["line"], fault["code"]) == (26, "not_a_number")
    async with household.get(
        "/v1/meters/m/readings", params={"start": "2025-04-01", "end": "2025-04-02"}
    ) as answer:
        assert set((await answer.json())["values"]) == {None}


async def test_what_is_wrong_with_a_request_is_told_at_once(household: Client) -> None:
    """No job is begun for it."""
    async with household.post(f"{IMPORT}&colour=red", headers=ASYNC, data=FILE) as answer:
        assert answer.status == 422
    assert (await success(household, "GET", "/v1/jobs"))["items"] == []


async def test_a_file_of_several_parts_comes_whole(household: Client) -> None:
    """However long, and compressed."""
    rows = [f"{value % 7}.25" for value in range(40_000)]
    start = datetime(2020, 1, 1, tzinfo=UTC)
    file = "start,value\n" + "".join(
        f"{(start + timedelta(hours=number)).isoformat()},{value}{' ' * 40}\n"
        for number, value in enumerate(rows)
    )
    assert len(file) > 2 * 1024 * 1024

    sent = io.BytesIO(gzip.compress(file.encode()))
    headers = {**ASYNC, "Content-Encoding": "gzip"}
    async with household.post(IMPORT, data=sent, headers=headers) as answer:
        done = await ended(household, await answer.json())

    assert done["problem"] is None
    assert done["result"]["created"] == len(rows)


async def test_a_file_that_breaks_off_leaves_no_job(household: Client, tenant: Tenant) -> None:
    """Nor the parts of it that had come."""
    sent = io.BytesIO(gzip.compress(FILE.encode())[:-9])
    headers = {**ASYNC, "Content-Encoding": "gzip"}

    async with household.post(IMPORT, data=sent, headers=headers) as answer:
        assert answer.status == 400, await answer.text()
    assert await tenant.fetch(int, "select count(*) from job") == [0]


async def test_readings_are_exported_by_a_job(household: Client) -> None:
    """The file has what was sent, and can be imported as it is."""
    wanted = {"meters": ["m"], "start": "2025-03-01", "end": "2025-03-02"}

    done = await ended(household, await success(household, "POST", "/v1/exports", wanted))
    async with household.get(f"/v1/jobs/{done['id']}/file") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/csv"
        text = await answer.text()

    rows = list(csv.DictReader(io.StringIO(text)))
    assert (done["result"]["readings"], done["result"]["bytes"]) == (24, len(text))
    assert [row["value"] for row in rows] == ["1"] * 24
    assert rows[0]["start"] == "2025-03-01T00:00:00Z"
    path = "/v1/imports?format=csv&mapping=energia"
    async with household.post(path, data=text) as answer:
        assert (await answer.json())["unchanged"] == 24


async def test_there_is_no_file_before_the_end(idle: Client) -> None:
    """A job that waits has none, and a run never has."""
    job = await success(idle, "POST", "/v1/exports", {})
    async with idle.get(f"/v1/jobs/{job['id']}/file") as answer:
        assert answer.status == 404
        assert "waiting" in (await answer.json())["detail"]


async def test_an_export_of_what_is_not_there_fails(household: Client) -> None:
    """It names what is missing."""
    job = await success(household, "POST", "/v1/exports", {"meters": ["nobody"]})
    done = await ended(household, job)

    assert (done["status"], done["problem"]["code"]) == ("failed", "not_found")
    assert "nobody" in done["problem"]["detail"]


@pytest.mark.parametrize(
    ("wanted", "pointer", "code"),
    [
        ({"start": "2025-03-02", "end": "2025-03-02"}, "/end", "empty_window"),
        ({"start": "2025-03-02T00:00:00Z", "end": "2025-03-01T00:00:00Z"}, "/end", "empty_window"),
        ({"meters": ["m", "m"]}, "/meters/1", "repeated"),
        ({"meters": ["m"], "site": "home"}, "/site", "meters_or_site"),
    ],
)
async def test_an_export_that_contradicts_itself_is_refused(
    idle: Client, wanted: Mapping[str, Any], pointer: str, code: str
) -> None:
    """No job begins: its file would be empty, have readings twice, or be of other meters."""
    async with idle.post("/v1/exports", json=wanted) as answer:
        assert answer.status == 422
        (fault,) = (await answer.json())["errors"]

    assert (fault["pointer"], fault["code"]) == (pointer, code)


async def test_an_export_of_a_date_until_an_instant_before_it_fails(household: Client) -> None:
    """Which is the later one is known by the zone of the site."""
    wanted = {"start": "2025-03-02", "end": "2025-03-02T00:00:00Z"}
    done = await ended(household, await success(household, "POST", "/v1/exports", wanted))

    assert (done["status"], done["problem"]["code"]) == ("failed", "invalid")
    assert "after the start" in done["problem"]["detail"]


async def test_a_job_that_waits_can_be_cancelled(idle: Client, tenant: Tenant) -> None:
    """No worker takes it up; once is enough."""
    job = await begun(idle, "/v1/bills/run", json=day(1))
    async with idle.delete(f"/v1/jobs/{job['id']}") as answer:
        assert answer.status == 204
    async with idle.delete(f"/v1/jobs/{job['id']}") as answer:
        assert (answer.status, (await answer.json())["code"]) == (409, "job_ended")

    assert (await success(idle, "GET", f"/v1/jobs/{job['id']}"))["status"] == "cancelled"
    waiting = "select count(*) from procrastinate_jobs where status = 'todo' and task_name = 'job'"
    assert await tenant.fetch(int, waiting) == [0]


async def test_a_cancelled_job_can_be_resumed(idle: Client, core: Core, serving: Serving) -> None:
    """It goes on from where it was."""
    job = await begun(idle, IMPORT, data=FILE)
    await success(idle, "DELETE", f"/v1/jobs/{job['id']}")
    async with idle.post(f"/v1/jobs/{job['id']}/resume") as answer:
        assert answer.status == 202
        assert (await answer.json())["status"] == "waiting"
    async with idle.post(f"/v1/jobs/{job['id']}/resume") as answer:
        assert (answer.status, (await answer.json())["code"]) == (409, "job_not_resumable")
    async with serving(core):
        done = await ended(idle, job)

    assert done["result"]["created"] == 24


async def test_a_file_that_is_being_stored_can_be_cancelled(
    household: Client, tenant: Tenant
) -> None:
    """Nothing of it is stored then: whoever holds the meter lets go after it was cancelled."""
    async with tenant.transaction() as queries:
        await queries.execute("lock table channel in access exclusive mode")
        job = await begun(household, IMPORT, data=FILE)
        async with asyncio.timeout(30):
            while (await success(household, "GET", f"/v1/jobs/{job['id']}"))["status"] != "running":
                await asyncio.sleep(0.01)
        await success(household, "DELETE", f"/v1/jobs/{job['id']}")
    await asyncio.sleep(3 * QUICK.poll)

    assert (await success(household, "GET", f"/v1/jobs/{job['id']}"))["status"] == "cancelled"
    async with household.get(
        "/v1/meters/m/readings", params={"start": "2025-04-01", "end": "2025-04-02"}
    ) as answer:
        assert set((await answer.json())["values"]) == {None}


async def test_a_job_whose_worker_died_is_done_once(
    idle: Client, core: Core, serving: Serving, tenant: Tenant
) -> None:
    """What the dead worker had left of it is begun again, and its late end would count no more."""
    job = await begun(idle, IMPORT, data=FILE)
    await tenant.execute(
        "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 hour');"
        "update procrastinate_jobs set status = 'doing', worker_id = w.id"
        " from procrastinate_workers w where task_name = 'job';"
        "update job set status = 'running', tries = 1"
    )
    async with serving(core):
        done = await ended(idle, job)

    assert (done["tries"], done["result"]["created"]) == (2, 24)
    late = "update job set status = 'failed' where status = 'running' and tries = 1"
    assert await tenant.execute(late) == 0


async def test_jobs_are_listed_newest_first(idle: Client) -> None:
    """By kind and by how they stand, page by page."""
    run = await begun(idle, "/v1/bills/run", json=day(1))
    export = await success(idle, "POST", "/v1/exports", {})
    await success(idle, "DELETE", f"/v1/jobs/{run['id']}")

    async def ids(query: str) -> list[str]:
        return [job["id"] for job in (await success(idle, "GET", f"/v1/jobs?{query}"))["items"]]

    assert await ids("") == [export["id"], run["id"]]
    assert await ids("status=cancelled") == [run["id"]]
    assert await ids("kind=readings.export") == [export["id"]]
    first = await success(idle, "GET", "/v1/jobs?limit=1")
    assert await ids(f"limit=1&cursor={first['next']}") == [run["id"]]


class Named:
    """Knows callers by their names; `boss` may do everything, others read."""

    name = "named"

    async def authenticate(self, bearer: str, _: Core) -> Caller | None:
        """Return the caller of that name: `name`, `name+scope` or `name+scope+site`."""
        name, scope, site = [*bearer.split("+"), "", ""][:3]
        scopes = frozenset({"admin"} if name == "boss" else {scope or "readings:read"})
        sites = frozenset({site}) if site else None
        return Caller(name, name, scopes=scopes, sites=sites)  # type: ignore[arg-type]


class OfNames:
    """The plugin of callers with names."""

    @hookimpl
    def register_authenticators(self) -> list[Named]:
        """Offer it."""
        return [Named()]


@pytest.fixture(name="guarded")
async def _guarded(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve callers with names, where nobody works jobs off."""
    settings = Settings(jobs=attrs.evolve(QUICK, concurrency=0))
    settings = attrs.evolve(settings, auth=attrs.evolve(settings.auth, required=True))
    core = make_core(plugins=Plugins.of(names=OfNames), pool=pool, settings=settings)
    async with serving(core) as client:
        yield client


def of(name: str) -> dict[str, str]:
    """Return the headers of a caller."""
    return {"Authorization": f"Bearer {name}"}


async def test_a_job_is_its_beginners(guarded: Client) -> None:
    """Another caller does not find it; `admin` does."""
    async with guarded.post("/v1/exports", json={}, headers=of("ana")) as answer:
        job = await answer.json()
        assert (answer.status, job["created_by"]) == (202, "ana")
    found = {}
    for name in ("ana", "bia", "boss"):
        async with guarded.get(f"/v1/jobs/{job['id']}", headers=of(name)) as answer:
            found[name] = answer.status
    async with guarded.delete(f"/v1/jobs/{job['id']}", headers=of("bia")) as answer:
        assert answer.status == 404

    assert found == {"ana": 200, "bia": 404, "boss": 200}


async def test_jobs_that_ended_long_ago_go(idle: Client, core: Core, serving: Serving) -> None:
    """With their files, after `jobs.retention`; those that wait stay."""
    gone = await success(idle, "POST", "/v1/exports", {})
    stays = await success(idle, "POST", "/v1/exports", {})
    await success(idle, "DELETE", f"/v1/jobs/{gone['id']}")
    settings = attrs.evolve(core.settings, jobs=attrs.evolve(QUICK, retention=0.001, concurrency=1))
    async with serving(attrs.evolve(core, settings=settings)), asyncio.timeout(30):
        while True:
            async with idle.get(f"/v1/jobs/{gone['id']}") as answer:
                if answer.status == 404:
                    break
            await asyncio.sleep(0.01)

    assert stays["status"] == "waiting"


async def test_a_narrower_token_of_the_same_caller_gets_no_more_by_a_job(
    guarded: Client,
) -> None:
    """It neither gets a file that it may not read, nor lets a job go on that it may not begin."""
    async with guarded.post("/v1/exports", json={}, headers=of("ana")) as answer:
        path = f"/v1/jobs/{(await answer.json())['id']}"
    async with guarded.delete(path, headers=of("ana")) as answer:
        assert answer.status == 204
    told = {}
    for name in ("ana+billing", "ana+readings:read+home", "ana"):
        for method, tail in (("GET", ""), ("GET", "/file"), ("POST", "/resume")):
            async with guarded.request(method, path + tail, headers=of(name)) as answer:
                told[name, tail] = answer.status
    async with guarded.get("/v1/jobs", headers=of("ana+readings:read+home")) as answer:
        assert (await answer.json())["items"] == []

    assert told == {
        ("ana+billing", ""): 200,
        ("ana+billing", "/file"): 403,
        ("ana+billing", "/resume"): 403,
        ("ana+readings:read+home", ""): 404,
        ("ana+readings:read+home", "/file"): 404,
        ("ana+readings:read+home", "/resume"): 404,
        ("ana", ""): 200,
        ("ana", "/file"): 404,
        ("ana", "/resume"): 202,
    }


async def test_a_job_that_ends_its_workers_is_not_begun_for_ever(
    idle: Client, core: Core, serving: Serving, tenant: Tenant
) -> None:
    """After twenty of them it has failed; resumed, it has as many tries again."""
    job = await begun(idle, IMPORT, data=FILE)
    await tenant.execute("update procrastinate_jobs set attempts = 20; update job set tries = 20")
    async with serving(core):
        done = await ended(idle, job)
        assert (done["status"], done["problem"]["code"]) == ("failed", "internal")
        async with idle.post(f"/v1/jobs/{job['id']}/resume") as answer:
            assert answer.status == 202
        done = await ended(idle, job)

    assert (done["status"], done["result"]["created"]) == ("succeeded", 24)


async def test_what_is_only_looked_at_is_not_kept(household: Client, tenant: Tenant) -> None:
    """The file of a dry run goes with its end."""
    done = await ended(household, await begun(household, f"{IMPORT}&dry_run=true", data=FILE))

    assert (done["status"], done["result"]["created"]) == ("succeeded", 24)
    assert await tenant.fetch(int, "select count(*) from job_part") == [0]


async def test_a_late_export_writes_nothing_into_the_file_of_another(
    idle: Client, core: Core, tenant: Tenant
) -> None:
    """Nor does it take away what that one has written."""
    id_ = (await success(idle, "POST", "/v1/exports", {}))["id"]
    await tenant.execute("update job set status = 'running', tries = 2")
    late, own = (Running(core, tenant, id_, tries, {}) for tries in (1, 2))
    await own.put_part(0, b"own")
    with pytest.raises(Superseded):
        await late.put_part(0, b"late")
    await late.forget_file(tenant)

    assert await own.store.part(id_, 0) == b"own"


async def test_the_file_of_a_job_has_a_head(household: Client) -> None:
    """It says how long the file is, and has none of it."""
    done = await ended(household, await success(household, "POST", "/v1/exports", {}))
    async with household.head(f"/v1/jobs/{done['id']}/file") as answer:
        assert (answer.status, await answer.read()) == (200, b"")
        assert answer.headers["Content-Length"] == str(done["result"]["bytes"])


async def test_tasks_that_were_given_up_go_after_a_week(core: Core, tenant: Tenant) -> None:
    """Of each what happened last counts; what waits stays, however old."""
    for name in ("old", "new", "waits"):
        await core.jobs.defer(name)
    await tenant.execute(
        "update procrastinate_jobs set status = 'failed' where task_name <> 'waits';"
        "update procrastinate_events set at = now() - interval '8 days' where job_id in ("
        " select id from procrastinate_jobs where task_name <> 'new')"
    )
    await JobRetention().run(core, {})

    left = await tenant.fetch(str, "select task_name from procrastinate_jobs order by id")
    assert left == ["new", "waits"]


async def test_what_is_late_is_told_by_the_oldest(core: Core, tenant: Tenant) -> None:
    """A task that is tried again counts from the moment stated for it, not from its beginning."""
    for name in ("again", "later", "fresh"):
        await core.jobs.defer(name)
    await tenant.execute(
        "update procrastinate_jobs set scheduled_at = now() where task_name = 'again';"
        "update procrastinate_jobs set scheduled_at = now() + interval '1 day'"
        " where task_name = 'later';"
        "update procrastinate_events set at = now() - interval '1 day' where job_id in ("
        " select id from procrastinate_jobs where task_name = 'again')"
    )
    soon = await JobProbe().check(core)
    await tenant.execute("update procrastinate_events set at = now() - interval '1 hour'")
    late = await JobProbe().check(core)

    assert soon == Observed(2, "tasks", None)
    assert late == Observed(2, "tasks", "one is due since 3600 s: does any worker run?")
