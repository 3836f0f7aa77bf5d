"""The list of the audit log, over HTTP and as a command."""

import json

import pytest
from click.testing import CliRunner

from energia.cli.main import energia
from tests.core.audit.test_entries import log
from tests.core.billing.setting import SITE, refusal, success
from tests.serving import Client


async def test_pages_follow_each_other(client: Client) -> None:
    """The newest first, each once, until there is no next."""
    for number in range(5):
        await success(client, "PUT", f"/v1/sites/s{number}", SITE)

    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await success(client, "GET", f"/v1/audit?limit=2&cursor={cursor}")
        found += [entry["resource_id"] for entry in page["items"]]
        cursor = page["next"]

    assert found == ["s4", "s3", "s2", "s1", "s0"]


async def test_filters(client: Client) -> None:
    """By resource, id, caller, action and time."""
    await success(client, "PUT", "/v1/sites/a", SITE)
    await success(client, "PUT", "/v1/sites/b", SITE)
    await success(client, "DELETE", "/v1/sites/a")
    (_, second, _) = await log(client)

    async def found(**wanted: str) -> list[tuple[str, str]]:
        return [(entry["resource_id"], entry["action"]) for entry in await log(client, **wanted)]

    assert await found(id="a") == [("a", "create"), ("a", "delete")]
    assert await found(action="delete") == [("a", "delete")]
    assert await found(resource="tariff") == []
    assert await found(caller="anybody", id="b") == [("b", "create")]
    assert await found(caller="somebody") == []
    assert await found(start=second["at"]) == [("b", "create"), ("a", "delete")]
    assert await found(end=second["at"]) == [("a", "create")]


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "cursor=1-", "cursor=-1", "cursor=1-99999999999999999999", "cursor=9" + "9" * 40],
)
async def test_a_cursor_of_nothing_is_refused(client: Client, query: str) -> None:
    """It is told where it is."""
    status, _, codes = await refusal(client, "GET", f"/v1/audit?{query}")

    assert (status, codes) == (422, {"/query/cursor": "wrong_cursor"})


async def test_offsets_of_many_hours(client: Client) -> None:
    """An instant is the same instant, whatever offset it is written with."""
    await success(client, "PUT", "/v1/sites/a", SITE)

    assert await log(client, start="2026-01-01T00:00:00+15:59", end="2020-01-01T00:00:00Z") == []
    assert len(await log(client, start="2020-01-01T00:00:00-15:59")) == 1


def test_the_command(database: str) -> None:
    """What a command changes is its user's; `energia audit` lists it, as lines or as JSON."""
    runner = CliRunner(env={"ENERGIA_DATABASE__URL": database, "LOGNAME": "ana"})
    store = ["holidays", "expand", "BR", "--from", "2026", "--to", "2026", "--store"]
    assert runner.invoke(energia, store).exit_code == 0

    lines = runner.invoke(energia, ["audit", "--resource", "holiday_list"]).output
    entry = json.loads(runner.invoke(energia, ["audit", "--json"]).output)

    assert lines.split()[1:] == ["command:ana", "create", "holiday_list", "br-national@1"]
    assert (entry["caller"], entry["before"]) == ("command:ana", None)
    assert runner.invoke(energia, ["audit", "--action", "delete"]).output == ""
    assert runner.invoke(energia, ["audit", "--start", "2999-01-01"]).output == ""
