"""Files of other formats than CSV, imported as the API does: mapped, converted and stored."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Database, Settings
from energia_plugins.meter_dsmr.telegrams import crc16
from tests.core.metering.setting import meter
from tests.serving import Client, Serving, make_core

DATA = Path(__file__).parents[1] / "data" / "meters"
NEM = "200,{},E1,1,E1,,METER,WH,30,\n300,{},{},A,,,{},\n"


def nem12(*, nmi: str = "m", day: str = "20260301", value: str = "500", published: str = "") -> str:
    """Return a day of half-hours of the same value."""
    return NEM.format(nmi, day, ",".join([value] * 48), published)


@pytest.fixture(name="api")
async def _api(database: str, serving: Serving) -> AsyncIterator[Client]:
    """Serve two meters of half-hours, one with two channels."""
    pool = Pool(database, Database())
    tenant = pool.tenant()
    await meter(tenant, "m", interval="PT30M", channels=("E1",))
    await meter(tenant, "n", interval="PT30M", channels=("import", "export"))
    core = make_core(pool=pool, settings=Settings(), plugins=Plugins.installed())
    async with serving(core) as client:
        yield client
    await pool.close()


async def send(api: Client, data: str | bytes, **query: str) -> tuple[int, dict[str, Any]]:
    """Import a file and return the status and the answer."""
    async with api.post("/v1/imports", params=query, data=data) as answer:
        return answer.status, await answer.json()


async def values(api: Client, meter_: str, channel: str) -> list[Any]:
    """Return the values of a day of market time."""
    query = {"channel": channel, "start": "2026-02-28T14:00:00Z", "end": "2026-03-01T14:00:00Z"}
    async with api.get(f"/v1/meters/{meter_}/readings", params=query) as answer:
        series: dict[str, Any] = await answer.json()
        found: list[Any] = series["values"]
        return found


async def test_names_of_the_file_are_ids_or_stand_for_them(api: Client) -> None:
    """An NMI and a suffix may be ours, or be mapped; Wh become kWh."""
    assert (await send(api, nem12(), format="nem12"))[1]["created"] == 48
    status, answer = await send(
        api, nem12(nmi="6305131234"), format="nem12", meter="n", channels="E1:import"
    )

    assert (status, answer["created"]) == (200, 48)
    assert set(await values(api, "m", "E1")) == {0.5}
    assert set(await values(api, "n", "import")) == {0.5}


@pytest.mark.parametrize("path", ["/v1/imports", "/v1/imports/preview"])
async def test_a_form_has_the_file_and_its_options(api: Client, path: str) -> None:
    """What a browser or `curl -F` sends is read as the file alone would be, by the same options."""
    form = FormData({"format": "csv", "meter": "m", "start_column": "von", "timezone": "UTC"})
    form.add_field("file", b"von,value\n2026-03-01 00:30,1.5\n", filename="a.csv")
    async with api.post(path, data=form) as answer:
        assert answer.status == 200
        found = await answer.json()

    assert found.get("created") == 1 or found["mapping"]["timezone"] == "UTC"


async def test_a_day_that_is_sent_again_in_a_file(api: Client) -> None:
    """The one that was made last is stored, wherever it stands; the others are superseded."""
    days = [
        nem12(value="100", published="20260302010000"),
        nem12(value="300", published="20260304010000"),
        nem12(value="200", published="20260303010000"),
    ]

    status, answer = await send(api, "".join(days), format="nem12")

    assert (status, answer["received"]) == (200, 144)
    assert (answer["created"], answer["superseded"]) == (48, 96)
    assert set(await values(api, "m", "E1")) == {0.3}


async def test_an_older_file_replaces_nothing(api: Client) -> None:
    """Of a day in several files the one that was made last stands, whichever comes last."""
    first = nem12(value="100", published="20260302010000")
    last = nem12(value="300", published="20260304010000")
    await send(api, last, format="nem12")
    _, older = await send(api, first, format="nem12")
    _, newer = await send(api, nem12(value="400", published="20260305010000"), format="nem12")

    assert (older["superseded"], older["corrected"]) == (48, 0)
    assert newer["corrected"] == 48
    assert set(await values(api, "m", "E1")) == {0.4}


async def test_equally_late_days(api: Client) -> None:
    """The last in the file stands."""
    stamp = "20260302010000"
    days = [nem12(value="100", published=stamp), nem12(value="200", published=stamp)]

    assert (await send(api, "".join(days), format="nem12"))[1]["superseded"] == 48
    assert set(await values(api, "m", "E1")) == {0.2}


async def test_days_that_do_not_say_when_they_were_made(api: Client) -> None:
    """Which of two holds is not guessed; equal ones are repeated."""
    status, answer = await send(api, nem12() + nem12(value="1"), format="nem12")
    assert (status, answer["error_counts"]) == (422, {"duplicate_in_request": 48})

    status, answer = await send(api, nem12() + nem12(), format="nem12")
    assert (status, answer["created"], answer["repeated"]) == (200, 48, 48)


async def test_unknown_names_are_listed_once(api: Client) -> None:
    """Each meter and channel that does not exist has one problem, at its first line."""
    other = NEM.replace("E1", "B1").format("m", "20260301", ",".join(["1"] * 48), "")
    data = nem12(nmi="x") + nem12(nmi="y") + nem12(nmi="x", day="20260302") + other

    status, answer = await send(api, data, format="nem12")

    assert status == 422
    assert [(one["line"], one["code"]) for one in answer["errors"]] == [
        (2, "unknown_meter"),
        (4, "unknown_meter"),
        (8, "unknown_channel"),
    ]
    assert answer["error_counts"] == {"unknown_meter": 144, "unknown_channel": 48}


async def test_registers_become_readings(api: Client) -> None:
    """They are stored as derived ones; what went back is refused, or left out and told."""
    stamps = ("000000", "003000", "010000", "013000")
    data = "".join(
        telegram(f"260301{stamp}W", value)
        for stamp, value in zip(stamps, ("10.000", "10.500", "0.250", "0.750"), strict=True)
    )
    query = {"format": "dsmr", "meter": "n", "channels": "import:import", "interval": "PT30M"}

    refused = await send(api, data, **query)
    status, answer = await send(api, data, on_problem="skip", **query)

    assert refused[0] == 422
    assert [(one["code"], one["line"]) for one in refused[1]["errors"]] == [
        ("register_went_back", 14)
    ]
    assert (status, answer["created"]) == (200, 2)
    window = {"channel": "import", "start": "2026-02-28T23:00:00Z", "end": "2026-03-01T00:30:00Z"}
    async with api.get("/v1/meters/n/readings", params=window) as stored:
        series = await stored.json()
    assert series["values"] == [0.5, None, 0.5]


def telegram(stamp: str, value: str) -> str:
    """Return a telegram of one register."""
    text = f"/ISK5\\2M550\r\n\r\n0-0:1.0.0({stamp})\r\n1-0:1.8.0({value}*kWh)\r\n!"
    return f"{text}{crc16(text.encode()):04X}\r\n"


@pytest.mark.parametrize(
    ("file", "options"),
    [
        (
            '{"results":[{"consumption":1,"interval_start":"2026-03-01T00:00:00Z",'
            '"interval_end":"2026-03-01T01:00:00Z"}]}',
            {"format": "octopus"},
        ),
        (
            '{"start":"2026-03-01T00:00:00Z","interval":"PT1H","values":[1]}',
            {"format": "ndjson"},
        ),
        ("start,value\n2026-03-01T00:00,1\n", {"power": "kW", "interval": "PT1H"}),
        (
            "start,H1,H2\n2026-03-01,1,2\n",
            {"wide": "H1..H2", "time_format": "number", "interval": "PT1H"},
        ),
        ("start,0:00,1:00\n2026-03-01,1,2\n", {"wide": "0:00..1:00"}),
        ("start,1:00,2:00\n2026-03-01,1,\n", {"wide": "1:00..2:00", "stamp": "end"}),
    ],
)
async def test_slots_of_another_length_are_refused(
    api: Client, file: str, options: dict[str, str]
) -> None:
    """A value of an hour, or of a day, is never stored in a half-hour."""
    csv = {"timezone": "UTC", "format": "csv"} if "format" not in options else {}

    status, answer = await send(api, file, meter="m", **csv, **options)

    assert (status, answer["errors"][0]["code"]) == (422, "wrong_interval")


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("nem12_qualities.csv", "nem12"),
        ("octopus_clock_change.json", "octopus"),
        ("mscons_marks.txt", "mscons"),
        ("green_button_links.xml", "green_button"),
        ("dsmr_winter_time.txt", "dsmr"),
        ("home_assistant_answer.json", "home_assistant"),
        ("home_assistant_join.csv", "home_assistant"),
    ],
)
async def test_auto_finds_the_format(api: Client, name: str, format_: str) -> None:
    """The answer is that of the format."""
    data = (DATA / name).read_bytes()

    found = await send(api, data, format="auto", meter="n", channel="import", on_problem="skip")
    named = await send(api, data, format=format_, meter="n", channel="import", on_problem="skip")

    assert found[0] == named[0]
    assert found[1].get("received") == named[1].get("received")


@pytest.mark.parametrize("data", ["start,value\n", ""])
async def test_auto_guesses_nothing(api: Client, data: str) -> None:
    """Where no decoder recognizes the file, the client is to say what it is."""
    status, answer = await send(api, data, format="auto", meter="m")

    assert (status, answer["errors"][0]["code"]) == (422, "unknown_format")
    assert "say which it is" in answer["errors"][0]["message"]


async def test_options_are_checked_before_the_file(api: Client) -> None:
    """Also those that `auto` finds to be wrong."""
    for format_ in ("nem12", "auto"):
        status, answer = await send(api, nem12(), format=format_, chanels="E1:import")
        assert (status, answer["errors"][0]["pointer"]) == (422, "/query/chanels")


async def test_columns_of_a_file_one_after_the_other(api: Client) -> None:
    """The second column replaces the first; that they were not added up is told."""
    file = "start,T1,T2\n2026-03-01T00:00Z,1,2\n2026-03-01T00:30Z,3,4\n"
    columns = ("T1", "T1", "T2")
    answers = [(await send(api, file, format="csv", meter="m", value_column=c))[1] for c in columns]

    assert [answer["problems"] for answer in answers[:2]] == [[], []]
    (warning,) = answers[2]["problems"]
    assert (warning["code"], warning["severity"]) == ("same_file", "warning")
    assert f"({answers[1]['import']}); 2 readings" in warning["message"]
    assert (answers[2]["corrected"], answers[2]["rejected"]) == (2, 0)


async def test_a_dry_run_is_answered_as_the_import_would_be(api: Client) -> None:
    """With the counts and the problems, but without an import; nothing is stored."""
    query = {"format": "nem12", "dry_run": "true"}

    checked = await send(api, nem12(), **query)
    refused = await send(api, nem12(nmi="unknown"), **query)
    stored = await send(api, nem12(), format="nem12")

    assert (checked[0], checked[1]["import"], checked[1]["created"]) == (200, None, 48)
    assert refused[0] == 422
    assert stored[1]["created"] == 48
