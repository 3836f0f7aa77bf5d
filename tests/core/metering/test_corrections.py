"""What imports have corrected, and what is stored of channels, over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
from aiohttp import ClientResponse

from energia.db.pool import Pool
from tests.core.metering.setting import FixedClock
from tests.core.metering.setting import series as series_of
from tests.serving import Client, Serving, make_core

SITE = {"name": "Home", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
CHANNEL = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT15M",
}
DAYS = {"start": "2026-03-01", "end": "2026-03-05"}
#: Local midnight of 2026-03-01, in seconds.
MIDNIGHT = 1_772_334_000


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site with a meter, on the first of September 2026."""
    core = attrs.evolve(make_core(pool=pool), clock=FixedClock())
    async with serving(core) as client:
        await client.put("/v1/sites/home", json=SITE)
        made = await client.put("/v1/meters/m", json={"site": "home", "channels": [CHANNEL]})
        assert made.status == 201, await made.text()
        yield client


async def _answer(response: ClientResponse, status: int = 200) -> Any:
    assert response.status == status, await response.text()
    return await response.json()


async def _send(api: Client, values: list[object], start: int = MIDNIGHT, **more: Any) -> Any:
    body: Any = series_of(values, start, interval="PT15M")
    body["series"][0].update(more)
    return await _answer(await api.post("/v1/readings", json=body))


async def _corrections(api: Client, **query: object) -> Any:
    given = {name: str(value) for name, value in (DAYS | query).items()}
    return await _answer(await api.get("/v1/meters/m/corrections", params=given))


async def test_none(api: Client) -> None:
    """Readings that came once, and those that fill a hole later, correct nothing."""
    assert (await _corrections(api))["items"] == []
    await _send(api, [1, None, 1])
    await _send(api, [2], MIDNIGHT + 900)
    assert await _corrections(api) == {"items": [], "next": None}


async def test_value_and_quality(api: Client) -> None:
    """A correction says which slots have changed, from what to what, and by which import."""
    await _send(api, [1], MIDNIGHT)
    await _send(api, [1, 1], MIDNIGHT + 900, quality="estimated")
    sent = await _send(api, [1, "0.75", 1, 1])

    (found,) = (await _corrections(api))["items"]

    assert found["import_id"] == sent["import"]
    assert (found["format"], found["slots"]) == ("json", 2)
    assert found["start"] == "2026-03-01T00:15:00-03:00"
    assert found["end"] == "2026-03-01T00:45:00-03:00"
    assert found["before"] == {"value": "2", "qualities": {"estimated": 2}}
    assert found["after"] == {"value": "1.75", "qualities": {"actual": 2}}


async def test_several_days_and_imports(api: Client) -> None:
    """One import is one correction, however many days it goes over; the newest comes first."""
    await _send(api, [1] * 288)
    await _send(api, [2] * 200)
    await _send(api, [3] * 2)

    first = await _corrections(api, limit=1)
    second = await _corrections(api, limit=1, cursor=first["next"])

    assert [each["slots"] for each in first["items"] + second["items"]] == [2, 200]
    assert second["items"][0]["after"]["value"] == "400"
    assert second["next"] is None


async def test_a_page_has_less_where_imports_have_changed_much(api: Client) -> None:
    """Whole days are looked at: three of seconds, changed twice, come import by import."""
    seconds = {**CHANNEL, "id": "seconds", "interval": "PT1S"}
    await api.put("/v1/meters/m", json={"site": "home", "channels": [CHANNEL, seconds]})
    for value in (1, 2, 3):
        readings = [
            {"meter": "m", "channel": "seconds", "start": f"2026-03-0{day}T12:00:00Z"}
            | {"value": value}
            for day in (1, 2, 3)
        ]
        await _answer(await api.post("/v1/readings", json={"readings": readings}))

    first = await _corrections(api, channel="seconds")
    second = await _corrections(api, channel="seconds", cursor=first["next"])

    sums = [[each["after"]["value"] for each in page["items"]] for page in (first, second)]
    assert sums == [["9"], ["6"]]
    assert second["next"] is None


async def test_window(api: Client) -> None:
    """Only slots of the window count, though the import has changed others."""
    await _send(api, [1] * 192)
    await _send(api, [2] * 192)

    (found,) = (await _corrections(api, start="2026-03-02", end="2026-03-03"))["items"]

    assert (found["slots"], found["start"]) == (96, "2026-03-02T00:00:00-03:00")


async def test_live_fills_after_a_correction(api: Client) -> None:
    """The correction of a day that goes on stays that of who made it, whoever fills the day."""
    clock = FixedClock()
    day = int(clock.now().timestamp()) - 3_600
    await _send(api, [1], day)
    sent = await _send(api, [2], day)
    await _send(api, [5], day + 900)

    query = {"start": "2026-08-31", "end": "2026-09-02"}
    (found,) = (await _corrections(api, **query))["items"]

    assert (found["import_id"], found["slots"]) == (sent["import"], 1)


async def test_register(api: Client) -> None:
    """A register has no slots of its own: its corrections are those of its reads."""
    register = {**CHANNEL, "id": "r", "kind": "register"}
    register.pop("interval")
    await api.put("/v1/meters/m", json={"site": "home", "channels": [CHANNEL, register]})
    query = {**DAYS, "channel": "r"}
    fault = await _answer(await api.get("/v1/meters/m/corrections", params=query), 422)
    assert fault["errors"][0]["code"] == "wrong_kind"


# What is stored of channels.


async def test_channels(api: Client) -> None:
    """Channels say since when and until when there are readings; without any they say nothing."""
    other = {"site": "home", "channels": [{**CHANNEL, "id": "export", "direction": "export"}]}
    await api.put("/v1/meters/n", json=other)
    await _send(api, [None, 1, 1, None])

    found = (await _answer(await api.get("/v1/channels?meters=n,m,none")))["channels"]

    assert [(each["meter"], each["channel"], each["role"]) for each in found] == [
        ("m", "import", "import"),
        ("n", "export", "export"),
    ]
    assert found[0]["first"] == "2026-03-01T00:15:00-03:00"
    assert found[0]["last"] == "2026-03-01T00:45:00-03:00"
    assert (found[1]["first"], found[1]["last"], found[1]["coverage"]) == (None, None, None)


async def test_coverage(api: Client) -> None:
    """The coverage of some days counts the slots until the last full hour."""
    await _send(api, [1] * 8, int(FixedClock().now().timestamp()) - 8 * 900)

    (found,) = (await _answer(await api.get("/v1/channels?meters=m&days=1")))["channels"]

    assert found["coverage"] == {
        "expected": 96,
        "actual": 8,
        "estimated": 0,
        "questionable": 0,
        "missing": 88,
    }


async def test_register_is_read(api: Client) -> None:
    """Of a register it is said when it was read first and last."""
    register = {**CHANNEL, "id": "r", "kind": "register"}
    register.pop("interval")
    await api.put("/v1/meters/r", json={"site": "home", "channels": [register]})
    reads = [
        {"at": "2026-03-01T10:00:00-03:00", "value": "100"},
        {"at": "2026-04-01T10:00:00-03:00", "value": "200"},
    ]
    await _answer(await api.post("/v1/meters/r/registers", json={"reads": reads}))

    (found,) = (await _answer(await api.get("/v1/channels?meters=r")))["channels"]

    assert found["last"] == "2026-04-01T10:00:00-03:00"


async def test_search(api: Client) -> None:
    """Meters are found by a part of their id, name or serial number, however it is written."""
    for id_, name in (("shop-1", "Padaria"), ("shop-2", "Mercado 100%")):
        meter = {"site": "home", "channels": [CHANNEL], "name": name, "serial": f"SN-{id_[-1]}"}
        await api.put(f"/v1/meters/{id_}", json=meter)

    async def found(text: str) -> list[str]:
        listed = await _answer(await api.get("/v1/meters", params={"search": text}))
        return [meter["id"] for meter in listed["items"]]

    assert await found("SHOP") == ["shop-1", "shop-2"]
    assert await found("padar") == ["shop-1"]
    assert await found("100%") == ["shop-2"]
    assert await found("sn-2") == ["shop-2"]
    assert await found("_") == []
