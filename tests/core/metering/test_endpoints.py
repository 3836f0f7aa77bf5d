"""Sites, meters, readings, imports and usage over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse

from energia import hookimpl
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import meter_csv
from tests.core.metering.setting import Heard, series
from tests.serving import Client, Serving, make_core

SITE = {"name": "Home", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
CHANNEL = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT15M",
}
DAY = {"start": "2026-03-01", "end": "2026-03-02"}
#: Local midnight, in seconds.
MIDNIGHT = 1_772_334_000


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site with a meter."""
    core = make_core(pool=pool, plugins=Plugins.of(meter_csv=meter_csv, heard=_Observer))
    async with serving(core) as client:
        await client.put("/v1/sites/home", json=SITE)
        made = await client.put("/v1/meters/m", json={"site": "home", "channels": [CHANNEL]})
        assert made.status == 201, await made.text()
        yield client


class _Observer:
    """A plugin that hears of readings."""

    heard = Heard()

    def __init__(self) -> None:
        self.heard.events.clear()

    @hookimpl
    def readings_stored(self, event: Any) -> None:
        """Note the event."""
        self.heard.readings_stored(event)


async def answer(response: ClientResponse, status: int = 200) -> Any:
    """Return the JSON of an answer with that status."""
    assert response.status == status, await response.text()
    return await response.json()


async def send(api: Client, values: list[object], start: int = MIDNIGHT) -> Any:
    """Store a series of quarter-hours."""
    body = series(values, start, interval="PT15M")
    return await answer(await api.post("/v1/readings", json=body))


async def test_readings_there_and_back(api: Client) -> None:
    """What was sent comes back with the site's offset, qualities as runs and the revision."""
    sent = await send(api, [0.412, None, 0.000001])

    query = {"start": "2026-03-01T00:00:00-03:00", "end": "2026-03-01T01:00:00-03:00"}
    found = await answer(await api.get("/v1/meters/m/readings", params=query))

    assert (sent["created"], sent["missing"], sent["meters"]) == (2, 1, ["m"])
    assert found.pop("revision_at")
    assert found == {
        "meter": "m",
        "channel": "import",
        "unit": "kWh",
        "interval": "PT15M",
        "start": "2026-03-01T00:00:00-03:00",
        "end": "2026-03-01T01:00:00-03:00",
        "values": [0.412, None, 0.000001, None],
        "quality": [
            {"from": 0, "to": 1, "code": "actual"},
            {"from": 1, "to": 2, "code": "missing"},
            {"from": 2, "to": 3, "code": "actual"},
            {"from": 3, "to": 4, "code": "missing"},
        ],
        "next": None,
    }


async def test_known_at(api: Client) -> None:
    """A corrected value is there as it was known before."""
    await send(api, [1])
    first = await answer(await api.get("/v1/meters/m/readings", params=DAY))
    await send(api, [2])

    then = await api.get("/v1/meters/m/readings", params=DAY | {"known_at": first["revision_at"]})

    assert (await answer(then))["values"] == first["values"]
    now = await answer(await api.get("/v1/meters/m/readings", params=DAY))
    assert now["values"][:2] == [2.0, None]


async def test_usage(api: Client) -> None:
    """Days have sums, peaks and coverage; dates are local midnights."""
    await send(api, [0.1, 0.3, None, "0.2"])

    found = await answer(await api.get("/v1/meters/m/usage", params=DAY | {"window": "P1D"}))

    assert (found["unit"], found["timezone"]) == ("kWh", "America/Sao_Paulo")
    assert found["data"] == [
        {
            "start": "2026-03-01T00:00:00-03:00",
            "end": "2026-03-02T00:00:00-03:00",
            "value": "0.6",
            "peak": {"value": "1.2", "unit": "kW", "start": "2026-03-01T00:15:00-03:00"},
            "coverage": {
                "expected": 96,
                "actual": 3,
                "estimated": 0,
                "questionable": 0,
                "missing": 93,
            },
        }
    ]
    assert found["assumptions"] == []


async def test_a_boundary_inside_a_slot_is_said(api: Client) -> None:
    """A window that begins inside a slot says how many slots that concerns."""
    query = {"start": "2026-03-01T00:05:00-03:00", "end": "2026-03-01T02:00:00-03:00"}

    found = await answer(await api.get("/v1/meters/m/usage", params=query | {"window": "PT1H"}))

    assert [(one["code"], one["slots"]) for one in found["assumptions"]] == [
        ("boundary_inside_interval", 1)
    ]


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("readings", {"start": "2026-03-02", "end": "2026-03-01"}, 422, "empty_window"),
        ("readings", {"start": "1950-01-01", "end": "2190-01-01"}, 422, "too_many_slots"),
        ("readings", {"start": "2026-03-01T00:00:00", "end": "2026-03-02"}, 422, None),
        ("readings", DAY | {"channel": "x"}, 404, None),
        ("usage", DAY | {"window": "P2D"}, 422, "bad_window"),
        ("usage", DAY | {"window": "PT5M"}, 422, "bad_window"),
        ("usage", {"start": "2026-03-01"}, 422, "missing_field"),
    ],
)
async def test_queries_that_do_not_fit(
    api: Client, path: str, query: dict[str, str], status: int, code: str | None
) -> None:
    """Windows that cannot be answered are refused."""
    found = await answer(await api.get(f"/v1/meters/m/{path}", params=query), status)

    assert code is None or [fault["code"] for fault in found["errors"]] == [code]


async def test_unknown_and_ambiguous(api: Client) -> None:
    """A meter that is not there is 404; of two channels one must be named."""
    channels = [CHANNEL, CHANNEL | {"id": "export", "direction": "export"}]
    await api.put("/v1/meters/two", json={"site": "home", "channels": channels})

    await answer(await api.get("/v1/meters/x/usage", params=DAY), 404)
    found = await answer(await api.get("/v1/meters/two/usage", params=DAY), 422)

    assert found["code"] == "ambiguous_channel"
    await answer(await api.get("/v1/meters/two/usage", params=DAY | {"channel": "export"}))


async def test_long_windows_come_in_pages(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """`next` leads through a window that is too long for one answer."""
    monkeypatch.setattr("energia.web.endpoints.readings._SLOTS", 40)
    await send(api, list(range(96)))

    values, query = [], dict(DAY)
    while True:
        found = await answer(await api.get("/v1/meters/m/readings", params=query))
        values += found["values"]
        if found["next"] is None:
            break
        query["cursor"] = found["next"]

    assert values == [float(n) for n in range(96)]


async def test_imports(api: Client) -> None:
    """A file is stored, kept, listed, and told to observers."""
    query = {"format": "csv", "meter": "m", "timezone": "-03:00"}
    stored = await answer(
        await api.post("/v1/imports", params=query, data=b"start,value\n2026-03-01 00:00,1\n")
    )

    kept = await answer(await api.get(f"/v1/imports/{stored['import']}"))
    listed = await answer(await api.get("/v1/imports"))

    assert (stored["created"], kept["created"], kept["format"]) == (1, 1, "csv")
    assert [(one["id"], one["import"]) for one in listed["items"]] == [(stored["id"],) * 2]
    assert [event.format for event in _Observer.heard.events] == ["csv"]
    await answer(await api.get("/v1/imports/imp_x"), 404)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"format": "cvs"}, "/query/format"),
        ({"format": "csv", "colour": "red"}, "/query/colour"),
        ({"format": "csv", "timezone": "Mars/Base"}, "/query/timezone"),
        ({"format": "csv", "value_column": "kwh"}, "/query/value_column"),
        ({"format": "csv", "on_problem": "hope"}, "/query/on_problem"),
    ],
)
async def test_imports_that_do_not_fit(api: Client, query: dict[str, str], pointer: str) -> None:
    """What is wrong with the options is told by their names."""
    sent = await api.post("/v1/imports", params=query, data=b"start,value\n")

    found = await answer(sent, 422)

    assert [fault["pointer"] for fault in found["errors"]] == [pointer]


async def test_formats(api: Client) -> None:
    """The formats are those of the loaded plugins, with their options."""
    found = await answer(await api.get("/v1/formats"))

    assert [one["name"] for one in found["items"]] == ["csv", "excel"]
    assert "timezone" in found["items"][0]["schema"]["$defs"]["CsvOptions"]["properties"]


async def test_a_meter_that_is_made_again(api: Client) -> None:
    """A lost answer may be asked for again: the same meter is 200, another with its id is 409."""
    channel = {"id": "c", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
    body = {"id": "n", "site": "home", "channels": [{**channel, "interval": "PT15M"}]}
    made = await answer(await api.post("/v1/meters", json=body), 201)

    assert await answer(await api.post("/v1/meters", json=body), 200) == made
    assert await answer(await api.post("/v1/meters", json=made), 200) == made
    await answer(await api.post("/v1/meters", json=body | {"serial": "1"}), 409)


async def test_sites_and_meters(api: Client) -> None:
    """Sites and meters are made once, replaced, paged through and deleted in order."""
    made = await api.post("/v1/sites", json=SITE | {"id": "second"})
    assert (made.status, made.headers["Location"]) == (201, "/v1/sites/second")
    await answer(await api.post("/v1/sites", json=SITE | {"id": "second"}), 200)
    await answer(await api.post("/v1/sites", json=SITE | {"id": "second", "name": "x"}), 409)
    await answer(await api.put("/v1/sites/home", json=SITE), 200)
    pages = await answer(await api.get("/v1/sites", params={"limit": "1"}))
    rest = await answer(await api.get("/v1/sites", params={"cursor": pages["next"]}))
    await answer(await api.delete("/v1/sites/home"), 409)
    assert (await api.delete("/v1/meters/m")).status == 204
    assert (await api.delete("/v1/sites/home")).status == 204

    assert [site["id"] for site in pages["items"] + rest["items"]] == ["home", "second"]
    refused = await api.post(
        "/v1/meters", json={"site": "second", "channels": [CHANNEL | {"kind": "irregular"}]}
    )
    assert (await answer(refused, 422))["errors"][0]["code"] == "wrong_interval"


@pytest.mark.parametrize(
    ("charset", "encoding", "status"),
    [
        ("iso-8859-1", None, 200),
        ("ISO-8859-1", "latin-1", 200),
        ("iso-8859-1", "utf-8", 422),
        ("utf-8", "iso-8859-1", 422),
        ("utf-8", None, 400),
        ("klingon", None, 422),
    ],
)
async def test_the_charset_of_a_file(
    api: Client, charset: str, encoding: str | None, status: int
) -> None:
    """It is the encoding; one that contradicts the option is refused, as is one not known."""
    query = {"format": "csv", "meter": "m", "value_column": "énergie"}
    headers = {"Content-Type": f"text/csv; charset={charset}"}
    data = "start,énergie\n2026-03-01T00:00:00Z,1\n".encode("iso-8859-1")

    more = {} if encoding is None else {"encoding": encoding}
    sent = await api.post("/v1/imports", params=query | more, data=data, headers=headers)

    found = await answer(sent, status)
    if status == 422:
        assert [fault["pointer"] for fault in found["errors"]] == ["/query/encoding"]
