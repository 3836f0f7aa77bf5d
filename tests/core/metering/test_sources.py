"""Sources in a service: run by one replica, begun again when they fail, and seen by everybody."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest

from energia import Emit, EnergiaError, Problem, Reading, Source, SourceFailed, hookimpl
from energia.db.pool import Pool
from energia.errors import PluginError
from energia.metering.outcome import Outcome
from energia.plugins import Plugins
from energia.settings import Health, Profile, Settings, Sources
from energia_plugins import meter_csv
from tests.core.metering.test_endpoints import CHANNEL, MIDNIGHT, SITE, answer
from tests.serving import Client, Serving, make_core

QUICK = Sources(lease=2, retry_first=0.02, retry_most=0.05)
QUARTER = 900


def quarter(number: int, value: str, **more: Any) -> Reading:
    """Return the reading of a quarter of the first hour of these tests."""
    return Reading(number, Decimal(value), MIDNIGHT + number * QUARTER, meter="m", **more)


@attrs.define(eq=False)
class Device:
    """A source that does what a test does with what it is given."""

    then: Callable[[Emit], Awaitable[None]]
    name: str = "device"
    organization: int = 1
    runs: int = 0
    ended: int = 0

    async def run(self, emit: Emit) -> None:
        """Run, and note it."""
        self.runs += 1
        try:
            await self.then(emit)
        finally:
            self.ended += 1


@attrs.define(eq=False)
class Devices:
    """A plugin with sources."""

    sources: tuple[object, ...]

    @hookimpl
    def register_sources(self) -> list[object]:
        """Offer the sources."""
        return list(self.sources)


async def waits(emit: Emit) -> None:
    """Be connected, and nothing else."""
    emit.connected()
    await asyncio.Event().wait()


@asynccontextmanager
async def service(
    serving: Serving, pool: Pool, *sources: Source, profile: Profile = "development"
) -> AsyncIterator[Client]:
    """Serve with sources, and with the meter `m`."""
    settings = Settings(sources=QUICK, health=Health(period=0.05), profile=profile)
    plugins = Plugins.of(devices=Devices(sources), meter_csv=meter_csv)
    async with serving(make_core(plugins=plugins, pool=pool, settings=settings)) as client:
        await client.put("/v1/sites/home", json=SITE)
        await client.put("/v1/meters/m", json={"site": "home", "channels": [CHANNEL]})
        yield client


async def until(true: Callable[[], object]) -> None:
    """Wait for something to be true."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


async def check(client: Client, status: str, name: str = "device") -> Mapping[str, Any]:
    """Return the check of a source once it has a status; the service is ready all the while."""
    found: Mapping[str, Any] = {}
    async with asyncio.timeout(30):
        while found.get("status") != status:
            async with client.get("/health") as shown:
                assert shown.status == 200
                checks = json.loads(await shown.text())["checks"]
            (found,) = checks[f"source-{name}:age"]
            await asyncio.sleep(0.01)
    return found


async def stored(client: Client) -> list[float | None]:
    """Return the stored values of the first hour."""
    query = {"start": "2026-03-01T00:00:00-03:00", "end": "2026-03-01T01:00:00-03:00"}
    found = await answer(await client.get("/v1/meters/m/readings", params=query))
    values: list[float | None] = found["values"]
    return values


class Once:
    """Emits once, when it is told, and keeps what came of it."""

    def __init__(self, *items: Reading | Problem, state: Mapping[str, Any] | None = None) -> None:
        self._items, self._state = items, state
        self.go = asyncio.Event()
        self.began_with: list[Mapping[str, Any]] = []
        self.outcomes: list[Outcome | None] = []
        self.errors: list[str] = []

    async def __call__(self, emit: Emit) -> None:
        """Run."""
        self.began_with.append(dict(emit.state))
        emit.connected()
        await self.go.wait()
        try:
            self.outcomes.append(await emit(self._items, state=self._state))
        except EnergiaError as error:
            self.errors.append(error.detail)
            raise
        await asyncio.Event().wait()


async def test_readings_of_a_source_are_stored(pool: Pool, serving: Serving) -> None:
    """They are an import of the source's name; a call returns after the commit."""
    then = Once(quarter(0, "0.5"), quarter(1, "0.25"))
    async with service(serving, pool, Device(then)) as client:
        then.go.set()
        await until(lambda: then.outcomes)
        values = await stored(client)
        imports = await answer(await client.get("/v1/imports"))

    (outcome,) = then.outcomes
    assert outcome is not None
    assert (outcome.created, values[:2]) == (2, [0.5, 0.25])
    assert [(one["import"], one["format"]) for one in imports["items"]] == [
        (outcome.import_, "device")
    ]


async def test_one_bad_reading_does_not_hold_up_the_rest(pool: Pool, serving: Serving) -> None:
    """What cannot be stored is in the problems of the import, and counted."""
    unreadable = Problem(7, "not_json", "message 7 is not JSON")
    then = Once(quarter(0, "0.5"), quarter(1, "1", unit="m3"), unreadable)
    async with service(serving, pool, Device(then)) as client:
        then.go.set()
        await until(lambda: then.outcomes)
        (outcome,) = then.outcomes
        assert outcome is not None
        kept = await answer(await client.get(f"/v1/imports/{outcome.import_}"))

    assert (outcome.created, outcome.rejected) == (1, 2)
    assert [one["code"] for one in kept["problems"]] == ["wrong_unit", "not_json"]


async def test_a_source_goes_on_where_it_was(pool: Pool, serving: Serving) -> None:
    """What it saved with readings is given to its next run, in another process too."""
    first, second = Once(quarter(0, "1"), state={"line": 12, "last": Decimal("1.50")}), Once()
    async with service(serving, pool, Device(first)):
        first.go.set()
        await until(lambda: first.outcomes)
    async with service(serving, pool, Device(second)):
        await until(lambda: second.began_with)

    assert first.began_with == [{}]
    assert second.began_with == [{"line": 12, "last": "1.50"}]


async def test_a_state_without_readings_is_saved(pool: Pool, serving: Serving) -> None:
    """A source may save where it is before it has anything to store."""
    first, second = Once(state={"cursor": "a"}), Once()
    async with service(serving, pool, Device(first)) as client:
        first.go.set()
        await until(lambda: first.outcomes)
        imports = await answer(await client.get("/v1/imports"))
    async with service(serving, pool, Device(second)):
        await until(lambda: second.began_with)

    assert (first.outcomes, imports["items"]) == ([None], [])
    assert second.began_with == [{"cursor": "a"}]


async def test_what_is_saved_stays_until_it_is_saved_anew(pool: Pool, serving: Serving) -> None:
    """A source of many devices saves those that changed."""
    seen: list[Mapping[str, Any]] = []

    async def then(emit: Emit) -> None:
        await emit.save({"a": 1, "b": 1, "c": 1})
        await emit.save({"b": 2, "c": None})
        seen.append(dict(emit.state))
        await asyncio.Event().wait()

    async with service(serving, pool, Device(then)):
        await until(lambda: seen)
    async with service(serving, pool, Device(then)):
        await until(lambda: len(seen) > 1)

    assert seen == [{"a": 1, "b": 2}] * 2


async def test_values_of_a_source_may_grow(pool: Pool, serving: Serving) -> None:
    """In a file they would be taken for those of a register; a source cannot send them again."""
    grows = [quarter(number, f"100.{number:02}") for number in range(20)]
    then = Once(*grows)
    async with service(serving, pool, Device(then)):
        then.go.set()
        await until(lambda: then.outcomes or then.errors)

    (outcome,) = then.outcomes
    assert outcome is not None
    assert (outcome.created, outcome.rejected) == (20, 0)


CSV = b"when,kWh\n2026-03-01 00:00,0.5\n2026-03-01 00:15,much\n2026-03-01 00:30,0.25\n"
OPTIONS = {
    "timezone": "America/Sao_Paulo",
    "start_column": "when",
    "value_column": "kWh",
    "date_format": "%Y-%m-%d %H:%M",
}


async def test_a_source_may_hand_over_a_file(pool: Pool, serving: Serving) -> None:
    """It is stored as an import of its format, what is wrong left out; the state goes with it."""
    outcomes: list[Outcome] = []
    go = asyncio.Event()

    async def then(emit: Emit) -> None:
        await go.wait()
        options = {**OPTIONS, "meter": "m"}
        outcomes.append(await emit.file([CSV], "csv", options, state={"file": 1}))
        await asyncio.Event().wait()

    async with service(serving, pool, Device(then)) as client:
        go.set()
        await until(lambda: outcomes)
        values = await stored(client)
        kept = await answer(await client.get(f"/v1/imports/{outcomes[0].import_}"))
    (saved,) = await pool.tenant().fetch(int, "select count(*) from source_state")

    assert (values[:3], kept["format"], kept["rejected"]) == ([0.5, None, 0.25], "csv", 1)
    assert saved == 1


@pytest.mark.parametrize(
    ("format_", "options", "message"),
    [
        ("cvs", OPTIONS, "there is no format 'cvs' (did you mean 'csv'?)"),
        ("csv", {**OPTIONS, "timezne": "UTC"}, "timezne"),
        ("csv", {"mapping": "none"}, "none"),
    ],
)
async def test_a_file_that_cannot_be_read_is_told(
    pool: Pool, serving: Serving, format_: str, options: dict[str, str], message: str
) -> None:
    """Nothing is stored, and `/health` says why."""

    async def then(emit: Emit) -> None:
        emit.connected()
        await emit.file([CSV], format_, options, state={"file": 1})

    async with service(serving, pool, Device(then)) as client:
        await check(client, "warn")
        errors: list[str | None] = []
        while not errors or errors[0] is None:
            errors = await pool.tenant().fetch(_text, "select error from source")

    assert message in str(errors[0])


async def test_a_device_that_wants_to_be_left_alone_is(pool: Pool, serving: Serving) -> None:
    """A source that fails is begun again no sooner than it says."""

    async def then(emit: Emit) -> None:
        raise SourceFailed("busy", retry_after=3600)

    device = Device(then)
    async with service(serving, pool, device):
        await until(lambda: device.ended)
        await asyncio.sleep(0.3)

    assert device.runs == 1


async def test_a_source_that_another_replica_took_stores_nothing(
    pool: Pool, serving: Serving
) -> None:
    """Neither readings nor the state: who follows has begun from the state as it was."""
    then = Once(quarter(0, "1"), state={"line": 1})
    device = Device(then)
    async with service(serving, pool, device) as client:
        await until(lambda: device.runs)
        await pool.tenant().execute(
            "update source set holder = 'another', held_until = now() + interval '1 hour'"
        )
        then.go.set()
        await until(lambda: then.errors or device.ended)
        values = await stored(client)
    (saved,) = await pool.tenant().fetch(int, "select count(*) from source_state")

    assert then.outcomes == []
    assert values[0] is None
    assert saved == 0


async def test_one_replica_runs_a_source(pool: Pool, serving: Serving) -> None:
    """The others see that it works; the next one runs it once the first has ended."""
    first, second = Device(waits), Device(waits)
    async with service(serving, pool, second) as client:
        await until(lambda: second.runs)
        async with service(serving, pool, first) as other:
            await check(other, "pass")
            await asyncio.sleep(QUICK.lease)
            assert first.runs == 0
        await check(client, "pass")
    async with service(serving, pool, first):
        await until(lambda: first.runs)

    assert (first.runs, second.runs) == (1, 1)


async def test_a_replica_that_died_is_followed_within_its_lease(
    pool: Pool, serving: Serving
) -> None:
    """Nobody has released the source: its time runs out, and not before."""
    await pool.tenant().execute(
        "insert into source values"
        " (1, 'device', 'dead', clock_timestamp() + interval '1 hour', true);"
        "insert into source_state values (1, 'device', 'line', '3')"
    )
    then = Once()
    async with service(serving, pool, Device(then)) as client:
        await check(client, "pass")
        assert then.began_with == []
        await pool.tenant().execute("update source set held_until = clock_timestamp()")
        await until(lambda: then.began_with)

    assert then.began_with == [{"line": 3}]


async def test_a_replica_that_closes_lets_go_at_once(pool: Pool, serving: Serving) -> None:
    """While it drains, another one runs its sources."""
    first, second = Device(waits), Device(waits)
    settings = Settings(sources=QUICK)
    core = make_core(plugins=Plugins.of(devices=Devices((first,))), pool=pool, settings=settings)
    async with serving(core):
        await until(lambda: first.runs)
        async with service(serving, pool, second):
            core.state.closing = True
            await until(lambda: second.runs)

    assert first.ended == 1


async def fails(emit: Emit) -> None:
    """Lose the device."""
    emit.connected()
    raise SourceFailed("the device is away")


async def breaks(emit: Emit) -> None:
    """Fail in a way that nobody thought of."""
    raise ZeroDivisionError("broken")


async def ends(emit: Emit) -> None:
    """Return."""


@pytest.mark.parametrize("then", [fails, breaks, ends])
async def test_what_fails_is_begun_again(
    pool: Pool, serving: Serving, then: Callable[[Emit], Awaitable[None]]
) -> None:
    """The service stays ready, and `/health` warns."""
    device = Device(then)
    async with service(serving, pool, device) as client:
        await check(client, "warn")
        await until(lambda: device.runs > 2)
        assert device.ended >= 2


async def test_a_failure_is_told(pool: Pool, serving: Serving) -> None:
    """Every replica knows why; secrets are masked."""

    async def then(emit: Emit) -> None:
        raise SourceFailed("mqtt://energia:hunter2@broker is away")

    async with service(serving, pool, Device(then)) as client:
        await check(client, "warn")
        errors: list[str | None] = []
        while not errors or errors[0] is None:
            errors = await pool.tenant().fetch(_text, "select error from source")

    assert errors[0] is not None
    assert "is away" in errors[0]
    assert "hunter2" not in errors[0]


async def test_a_source_of_no_organization_is_told(pool: Pool, serving: Serving) -> None:
    """It does not run, and the service does."""
    device = Device(waits, organization=7)
    async with service(serving, pool, device) as client:
        await check(client, "warn")

    assert device.runs == 0


async def test_a_source_stores_for_its_organization(pool: Pool, serving: Serving) -> None:
    """The meters that it names are those of the organization that it states."""
    await pool.everywhere().execute("insert into organization (name) values ('second')")
    then = Once(quarter(0, "1"))
    async with service(serving, pool, Device(then, organization=2)):
        then.go.set()
        await until(lambda: then.outcomes)

    (outcome,) = then.outcomes
    assert outcome is not None
    assert (outcome.created, outcome.unknown) == (0, ("m",))


async def test_a_preview_runs_no_source(pool: Pool, serving: Serving) -> None:
    """It has copied the settings of production."""
    device = Device(waits)
    async with service(serving, pool, device, profile="preview") as client:
        await asyncio.sleep(0.1)
        async with client.get("/health") as shown:
            checks = json.loads(await shown.text())["checks"]

    assert device.runs == 0
    assert not [name for name in checks if name.startswith("source")]


class NotAsynchronous:
    """A source whose `run` is no coroutine function."""

    name = "device"

    def run(self, emit: Emit) -> None:
        """Return at once."""


@attrs.frozen
class Misspelt:
    """A source with a slip in a name."""

    name: str = "device"
    organisation: int = 2

    async def run(self, emit: Emit) -> None:
        """Return at once."""


@pytest.mark.parametrize(
    ("offers", "message"),
    [
        ((NotAsynchronous(),), "must have a coroutine function `run`"),
        ((Misspelt(),), "`organisation` is unknown (did you mean 'organization'?)"),
        ((Device(waits, organization=0),), "must be the key of one"),
        ((Device(waits, name=""),), "offers a source without a name"),
        ((Device(waits), Device(waits)), "offers twice the source 'device'"),
        ((Device,), "it is a class: a source must be an instance"),
    ],
)
def test_what_is_no_source_is_refused(offers: tuple[object, ...], message: str) -> None:
    """The plugin is named, and what is wrong."""
    with pytest.raises(PluginError) as refused:
        Plugins.of(devices=Devices(offers))

    assert "plugin 'devices'" in refused.value.detail
    assert message in refused.value.detail


def _text(text: str | None) -> str | None:
    return text
