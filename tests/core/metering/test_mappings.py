"""Mappings: options under a name, stored by an organization or shipped with a plugin."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Database, Settings
from tests.core.metering.setting import meter
from tests.serving import Client, Serving, make_core

FILE = b"t;v\n01.03.2026 00:00;0,5\n01.03.2026 00:30;0,25\n"
OPTIONS: dict[str, Any] = {
    "timezone": "UTC",
    "delimiter": ";",
    "decimal": ",",
    "start_column": "t",
    "value_column": "v",
    "date_format": "%d.%m.%Y %H:%M",
    "footer_rows": 0,
    "day_rows": False,
}
PATH = "/v1/csv-mappings/portal"


@pytest.fixture(name="api")
async def _api(database: str, serving: Serving) -> AsyncIterator[Client]:
    """Serve a meter of half-hours."""
    pool = Pool(database, Database())
    await meter(pool.tenant(), "m", interval="PT30M", channels=("import",))
    core = make_core(pool=pool, settings=Settings(), plugins=Plugins.installed())
    async with serving(core) as client:
        yield client
    await pool.close()


async def ask(api: Client, method: str, path: str, **sent: Any) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    async with api.request(method, path, **sent) as answer:
        return answer.status, await answer.json(content_type=None)


async def send(api: Client, **query: str) -> tuple[int, Any]:
    """Import the file."""
    given = {"format": "csv", "meter": "m", **query}
    return await ask(api, "POST", "/v1/imports", params=given, data=FILE)


async def test_an_import_names_a_stored_mapping(api: Client) -> None:
    """The file is read as the mapping says, numbers and switches among its values included."""
    status, made = await ask(api, "PUT", PATH, json={"about": "ours", "options": OPTIONS})

    assert (status, made["formats"], made["preset"]) == (201, ["csv"], False)
    assert (await send(api, mapping="portal"))[1]["created"] == 2


async def test_an_option_beside_it_replaces_its_own(api: Client) -> None:
    """The zone of the query counts; an empty option takes that of the mapping away."""
    await ask(api, "PUT", PATH, json={"options": {**OPTIONS, "where": "v=none"}})

    assert (await send(api, mapping="portal"))[1]["received"] == 0
    assert (await send(api, mapping="portal", where="", factor="2"))[1]["created"] == 2
    day = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T01:00:00Z"}
    _, series = await ask(api, "GET", "/v1/meters/m/readings", params=day)
    assert series["values"] == [1, 0.5]


async def test_a_name_that_is_unknown_is_refused_with_the_one_that_may_be_meant(
    api: Client,
) -> None:
    """Presets and stored mappings are looked at; nothing is read of the file."""
    await ask(api, "PUT", PATH, json={"options": OPTIONS})

    for name, meant in (("portla", "portal"), ("be-fluvus", "be-fluvius")):
        status, problem = await send(api, mapping=name)
        assert (status, problem["errors"][0]["code"]) == (422, "unknown_mapping")
        assert f"did you mean {meant!r}" in problem["errors"][0]["message"]


async def test_options_are_checked_when_they_are_stored(api: Client) -> None:
    """Each fault has its place, and a name that is no option says which may be meant."""
    wrong = {"timezone": "Mars/Base", "delimeter": ";"}
    status, problem = await ask(api, "PUT", PATH, json={"options": wrong})

    pointers = {fault["pointer"] for fault in problem["errors"]}
    assert (status, pointers) == (422, {"/options/timezone", "/options/delimeter"})
    assert (await ask(api, "GET", PATH))[0] == 404


async def test_a_stored_mapping_goes_before_a_preset_until_it_is_deleted(api: Client) -> None:
    """It is listed once; a preset itself can be neither changed nor deleted."""
    path = "/v1/csv-mappings/be-fluvius"
    _, preset = await ask(api, "GET", path)
    await ask(api, "PUT", path, json={"options": OPTIONS})
    _, listed = await ask(api, "GET", "/v1/csv-mappings")

    own = [one for one in listed["items"] if one["id"] == "be-fluvius"]
    assert [one["options"] for one in own] == [OPTIONS]
    assert (await ask(api, "DELETE", path))[0] == 204
    assert (await ask(api, "GET", path)) == (200, preset)
    assert (await ask(api, "DELETE", path))[0] == 404


async def test_what_is_given_back_can_be_stored_again(api: Client) -> None:
    """A preset is a beginning for a mapping of one's own; storing it again makes nothing."""
    _, preset = await ask(api, "GET", "/v1/csv-mappings/be-fluvius")
    status, stored = await ask(api, "PUT", PATH, json={**preset, "id": "portal"})

    assert (status, stored["options"]) == (201, preset["options"])
    assert (await ask(api, "PUT", PATH, json=stored)) == (200, stored)


async def test_the_list_has_pages(api: Client) -> None:
    """Stored ones stand among the presets, by id, each once."""
    for id_ in ("aa", "m.x", "zz"):
        await ask(api, "PUT", f"/v1/csv-mappings/{id_}", json={"options": OPTIONS})
    _, whole = await ask(api, "GET", "/v1/csv-mappings")

    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "4", "cursor": cursor}
        _, part = await ask(api, "GET", "/v1/csv-mappings", params=query)
        ids += [one["id"] for one in part["items"]]
        cursor = part["next"]
    assert ids == [one["id"] for one in whole["items"]] == sorted({*ids, "aa", "m.x", "zz"})


async def test_a_mapping_of_another_format_is_refused(api: Client) -> None:
    """A file of CSV options says nothing of a workbook, nor of other formats."""
    for format_ in ("excel", "nem12"):
        status, problem = await send(api, format=format_, mapping="be-fluvius")
        assert (status, problem["errors"][0]["code"]) == (422, "wrong_format")


async def test_changes_are_in_the_audit_log(api: Client) -> None:
    """Each has what was and what is."""
    await ask(api, "PUT", PATH, json={"options": OPTIONS})
    await ask(api, "PUT", PATH, json={"options": {**OPTIONS, "factor": "40"}})
    await ask(api, "DELETE", PATH)

    _, log = await ask(api, "GET", "/v1/audit", params={"resource": "csv_mapping"})
    actions = [entry["action"] for entry in log["items"]]
    assert sorted(actions) == ["create", "delete", "update"]
