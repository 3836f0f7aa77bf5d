"""Meters and channels that a file describes are made on request; nothing of them is made up."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.metering import registry
from energia.metering.models import NewSite
from energia.plugins import Plugins
from energia.settings import Database, Settings
from energia_plugins.meter_dsmr.telegrams import crc16
from tests.core.metering.setting import meter
from tests.plugins.test_meter_imports import nem12
from tests.serving import Client, Serving, make_core

DATA = Path(__file__).parents[1] / "data" / "meters"
CREATE = {"create_meters": "true", "site": "home"}


@pytest.fixture(name="api")
async def _api(database: str, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site without meters, beside another one with a meter `m` of half-hours."""
    pool = Pool(database, Database())
    tenant = pool.tenant()
    await registry.put_site(tenant, "home", NewSite("Home", "Australia/Brisbane", "AU", "AUD"))
    await meter(tenant, "m", interval="PT30M", channels=("E1",))
    core = make_core(pool=pool, settings=Settings(), plugins=Plugins.installed())
    async with serving(core) as client:
        yield client
    await pool.close()


async def send(api: Client, data: str | bytes, **query: str) -> tuple[int, dict[str, Any]]:
    """Import a file that makes what it names, and return the status and the answer."""
    async with api.post("/v1/imports", params={**CREATE, **query}, data=data) as answer:
        return answer.status, await answer.json()


async def channels(api: Client, meter_: str) -> dict[str, tuple[str | None, ...]]:
    """Return what the channels of a meter are."""
    async with api.get(f"/v1/meters/{meter_}") as answer:
        found = await answer.json()
    names = ("quantity", "direction", "unit", "interval")
    return {one["id"]: tuple(one.get(name) for name in names) for one in found.get("channels", ())}


async def test_streams_of_nem12(api: Client) -> None:
    """The suffix says the direction, the row unit and interval; a second time nothing is made."""
    file = nem12(nmi="6305131234") + nem12(nmi="6305131234").replace("E1", "B1")
    file += nem12(nmi="6305131234").replace("E1", "Q1").replace(",WH,", ",kvarh,")

    made, again = await send(api, file, format="nem12"), await send(api, file, format="nem12")

    assert (made[0], made[1]["created"], again[1]["unchanged"]) == (200, 144, 144), made
    assert made[1]["made"] == ["6305131234/E1", "6305131234/B1", "6305131234/Q1"]
    assert again[1]["made"] == []
    assert await channels(api, "6305131234") == {
        "E1": ("active_energy", "import", "Wh", "PT30M"),
        "B1": ("active_energy", "export", "Wh", "PT30M"),
        "Q1": ("reactive_energy", "import", "kvarh", "PT30M"),
    }


async def test_a_channel_is_added_to_a_meter(api: Client) -> None:
    """The meter stays at its site, with the channels that it has."""
    status, answer = await send(api, nem12().replace("E1", "B1"), format="nem12")

    assert (status, answer["made"]) == (200, ["m/B1"])
    assert list(await channels(api, "m")) == ["E1", "B1"]
    async with api.get("/v1/meters/m") as found:
        assert (await found.json())["site"] == "UTC"


async def test_names_that_stand_for_ours_are_made(api: Client) -> None:
    """What is made is called as the import says."""
    names = {"meters": "6305131234:UC-1", "channels": "E1:import"}
    status, answer = await send(api, nem12(nmi="6305131234"), format="nem12", **names)

    assert (status, answer["made"]) == (200, ["UC-1/import"])


@pytest.mark.parametrize(
    ("file", "format_", "made", "unit"),
    [
        (
            *("mscons_qualities.txt", "mscons"),
            {"1-1:1.29.0": ("import", "PT15M"), "1-1:1.8.0": ("import", None)},
            "kWh",
        ),
        (
            *("green_button_links.xml", "green_button"),
            {"Wh.forward": ("import", "PT15M"), "Wh.reverse": ("export", "PT15M")},
            "Wh",
        ),
    ],
)
async def test_what_files_of_others_describe(
    api: Client, file: str, format_: str, made: dict[str, tuple[str, str | None]], unit: str
) -> None:
    """OBIS codes, and types of readings, say what is measured; reads make a register."""
    query = {"format": format_, "on_problem": "skip"}
    status, answer = await send(api, (DATA / file).read_bytes(), **query)

    assert (status, len(answer["made"])) == (200, len(made)), answer
    assert await channels(api, answer["made"][0].partition("/")[0]) == {
        id_: ("active_energy", direction, unit, interval)
        for id_, (direction, interval) in made.items()
    }


async def test_registers_of_dsmr(api: Client) -> None:
    """Energy by its direction, gas by its place on the M-Bus."""
    telegrams = b""
    for hour in (0, 1, 2):
        body = (
            f"/X\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(26030{2}{hour:02}0000W)\r\n"
            f"0-0:96.1.1(4530303331)\r\n1-0:1.8.1(00000{hour}.000*kWh)\r\n"
            f"0-1:24.1.0(003)\r\n0-1:24.2.1(26030{2}{hour:02}0000W)(0000{hour}.500*m3)\r\n!"
        ).encode()
        telegrams += body + f"{crc16(body):04X}\r\n".encode()

    status, answer = await send(api, telegrams, format="dsmr", offset="+01:00", interval="PT1H")

    assert status == 200, answer
    (name,) = {one.partition("/")[0] for one in answer["made"]}
    assert await channels(api, name) == {
        "import": ("active_energy", "import", "kWh", "PT1H"),
        "gas.1": ("gas_volume", "import", "m3", "PT1H"),
    }


@pytest.mark.parametrize(
    ("data", "query", "lacks"),
    [
        (
            "start,value,m,c\n2026-03-01T00:00Z,1,x,y\n",
            {"format": "csv", "meter_column": "m", "channel_column": "c"},
            "quantity, direction, unit, interval",
        ),
        (nem12(nmi="x").replace("E1", "A7"), {"format": "nem12"}, "quantity, direction"),
        (nem12(nmi="x").replace(",WH,", ",,"), {"format": "nem12"}, "quantity, unit"),
        (
            '{"meter": "x", "start": "2026-03-01T00:00:00Z", "value": 1}\n',
            {"format": "ndjson"},
            "name, quantity, direction, unit, interval",
        ),
    ],
)
async def test_what_is_not_described(
    api: Client, data: str, query: dict[str, str], lacks: str
) -> None:
    """It is not made, and what is missing is named at its first line; nothing is stored."""
    status, problem = await send(api, data, **query)

    faults = {one["code"]: one for one in problem["errors"]}
    assert status == 422
    assert set(faults) == {"not_described", "unknown_meter"}
    assert faults["not_described"]["message"].endswith(f"its {lacks}")
    assert faults["not_described"]["line"] > 0


async def test_intervals_that_no_channel_has(api: Client) -> None:
    """What cannot be a channel is refused by what is wrong with it."""
    day = "200,x,E1,1,E1,,METER,WH,720,\n300,20260301,1,2,A,,,,\n"
    status, problem = await send(api, day, format="nem12")

    (fault,) = [one for one in problem["errors"] if one["code"] == "not_described"]
    assert status == 422
    assert "x/E1 cannot be made" in fault["message"]
    assert await channels(api, "x") == {}


async def test_what_is_refused_makes_nothing(api: Client) -> None:
    """Meters are made within the import: where it fails, or is a dry run, they are not."""
    wrong = nem12(nmi="x") + nem12(nmi="x", value="1")
    dry = await send(api, nem12(nmi="x"), format="nem12", dry_run="true")

    assert (await send(api, wrong, format="nem12"))[0] == 422
    assert (dry[0], dry[1]["made"], dry[1]["created"]) == (200, ["x/E1"], 48)
    assert await channels(api, "x") == {}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"site": "nowhere", "create_meters": "true"}, "/query/site"),
        ({"create_meters": "true"}, "/query/site"),
        ({"site": "home"}, "/query/site"),
    ],
)
async def test_a_site_is_needed(api: Client, query: dict[str, str], pointer: str) -> None:
    """Meters are made at a site that there is, and only where that is asked for."""
    async with api.post(
        "/v1/imports", params={"format": "nem12", **query}, data=nem12(nmi="x")
    ) as answer:
        problem = await answer.json()
    assert answer.status == 422
    assert [one["pointer"] for one in problem["errors"]] == [pointer]
