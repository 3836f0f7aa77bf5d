"""Lists of holidays over HTTP, and the tariffs that name them."""

from datetime import date, timedelta
from typing import Any

from tests.core.pricing.asking import FLAT, answer_of, pointers
from tests.core.pricing.documents import document
from tests.serving import Client

PATH = "/v1/holiday-lists/br"
LIST = {"name": "Brazil", "country": "BR", "source": "a law", "dates": ["2026-01-01", "2026-12-25"]}
LONGER = {**LIST, "dates": [*LIST["dates"], "2026-11-20"]}


def naming(*references: str, **version: Any) -> dict[str, Any]:
    """Return a tariff that names lists of holidays."""
    return document([FLAT], "America/Sao_Paulo", "BRL", holiday_lists=references, **version)


async def stored(client: Client) -> dict[str, Any]:
    """Return the version of the tariff `t` that is stored."""
    version: dict[str, Any] = (await answer_of(client, "GET", "/v1/tariffs/t"))[1]["versions"][0]
    return version


async def test_a_list_grows_by_versions(client: Client) -> None:
    """What is different makes another version (200); the first stays as it was."""
    made, first = await answer_of(client, "PUT", PATH, LIST)
    again, same = await answer_of(client, "PUT", PATH, {**LIST, "dates": LIST["dates"][::-1]})
    grown, second = await answer_of(client, "PUT", PATH, LONGER)

    assert (made, again, grown) == (201, 200, 200)
    assert same == first
    assert (first["version"], second["version"]) == (1, 2)
    assert second["dates"] == ["2026-01-01", "2026-11-20", "2026-12-25"]
    assert (await answer_of(client, "GET", PATH))[1] == second
    assert (await answer_of(client, "GET", f"{PATH}?version=1"))[1] == first
    assert (await answer_of(client, "GET", f"{PATH}?version=3"))[0] == 404
    assert first["stored_at"] < second["stored_at"]


async def test_a_stated_version_is_the_newest(client: Client) -> None:
    """What was got can be put, changed or not, unless another version was stored since."""
    _, first = await answer_of(client, "PUT", PATH, LIST)

    assert await answer_of(client, "PUT", PATH, first) == (200, first)
    _, second = await answer_of(client, "PUT", PATH, {**first, "dates": LONGER["dates"]})
    assert second["version"] == 2
    for body in (first, {**first, "id": "new"}):
        path = f"/v1/holiday-lists/{body['id']}"
        status, problem = await answer_of(client, "PUT", path, body)
        assert (status, problem["code"]) == (409, "conflict")


async def test_a_posted_list_is_new(client: Client) -> None:
    """It gets an id; the same again is 200, and another list with its id 409."""
    status, made = await answer_of(client, "POST", "/v1/holiday-lists", LIST)

    assert (status, made["version"]) == (201, 1)
    again = {**LIST, "id": made["id"]}
    assert await answer_of(client, "POST", "/v1/holiday-lists", again) == (200, made)
    taken = {**LONGER, "id": made["id"]}
    assert (await answer_of(client, "POST", "/v1/holiday-lists", taken))[0] == 409


async def test_lists_are_listed_in_their_newest_versions(client: Client) -> None:
    """Page by page."""
    for id_, body in (("a", LIST), ("b", LIST), ("b", LONGER), ("c", LIST)):
        await answer_of(client, "PUT", f"/v1/holiday-lists/{id_}", body)

    _, first = await answer_of(client, "GET", "/v1/holiday-lists?limit=2")
    _, rest = await answer_of(client, "GET", f"/v1/holiday-lists?limit=2&cursor={first['next']}")

    assert [(one["id"], one["version"]) for one in first["items"]] == [("a", 1), ("b", 2)]
    assert [one["id"] for one in rest["items"]] == ["c"]


async def test_another_id_than_that_of_the_path_is_refused(client: Client) -> None:
    """The body may repeat the id, not contradict it."""
    status, problem = await answer_of(client, "PUT", PATH, {**LIST, "id": "x"})

    assert (status, pointers(problem)) == (422, {"/id": "wrong_id"})


async def test_a_tariff_takes_the_dates_over(client: Client) -> None:
    """It has the dates of the list besides its own, and names the version that they are of."""
    await answer_of(client, "PUT", PATH, LIST)

    _, saved = await answer_of(
        client, "PUT", "/v1/tariffs/t", naming("br", holidays=["2026-02-17"])
    )

    version = await stored(client)
    assert saved["versions"] == [version]
    assert version["holidays"] == ["2026-01-01", "2026-02-17", "2026-12-25"]
    assert version["holiday_lists"] == ["br@1"]


async def test_a_posted_tariff_takes_them_too(client: Client) -> None:
    """As one that is put."""
    await answer_of(client, "PUT", PATH, LIST)

    _, made = await answer_of(client, "POST", "/v1/tariffs", naming("br@1"))

    assert made["versions"][0]["holidays"] == LIST["dates"]


async def test_a_list_that_grows_changes_no_tariff(client: Client) -> None:
    """Not even one that is saved again as it is; a tariff that names the list anew has it all."""
    await answer_of(client, "PUT", PATH, LIST)
    _, saved = await answer_of(client, "PUT", "/v1/tariffs/t", naming("br"))
    await answer_of(client, "PUT", PATH, LONGER)

    assert await stored(client) == saved["versions"][0]
    assert (await answer_of(client, "PUT", "/v1/tariffs/t", saved))[1] == saved
    await answer_of(client, "PUT", "/v1/tariffs/t", naming("br"))
    assert (await stored(client))["holiday_lists"] == ["br@2"]
    assert len((await stored(client))["holidays"]) == 3


async def test_a_list_that_there_is_not_is_refused(client: Client) -> None:
    """Each is named: the list, or the version of it."""
    await answer_of(client, "PUT", PATH, LIST)

    status, problem = await answer_of(client, "PUT", "/v1/tariffs/t", naming("br", "br@2", "x"))

    assert status == 422
    assert pointers(problem) == {
        "/versions/0/holiday_lists/1": "unknown_holiday_list",
        "/versions/0/holiday_lists/2": "unknown_holiday_list",
    }


async def test_too_many_dates_are_refused(client: Client) -> None:
    """Those of all lists together are those of one version."""
    for index in range(3):
        first = date(1970 + 20 * index, 1, 1)
        days = [(first + timedelta(days=at)).isoformat() for at in range(4999)]
        status, _ = await answer_of(
            client, "PUT", f"/v1/holiday-lists/l{index}", {"name": "L", "dates": days}
        )
        assert status == 201

    status, problem = await answer_of(client, "PUT", "/v1/tariffs/t", naming("l0", "l1", "l2"))

    assert (status, pointers(problem)) == (422, {"/versions/0/holiday_lists": "too_many_holidays"})


async def test_a_list_that_a_tariff_names_stays(client: Client) -> None:
    """Its name would come to mean another list; one that none names goes."""
    await answer_of(client, "PUT", PATH, LIST)
    await answer_of(client, "PUT", "/v1/tariffs/t", naming("br"))

    status, problem = await answer_of(client, "DELETE", PATH)

    assert (status, problem["code"]) == (409, "in_use")
    await answer_of(client, "DELETE", "/v1/tariffs/t")
    assert (await answer_of(client, "DELETE", PATH))[0] == 204
    assert (await answer_of(client, "GET", PATH))[0] == 404
    assert (await answer_of(client, "DELETE", PATH))[0] == 404


async def test_a_tariff_that_was_never_saved_lists_its_dates(alone: Client) -> None:
    """Pricing asks no database: a document without the dates is refused, with them it is priced."""
    channel = {"start": "2026-01-01T00:00:00-03:00", "values": [1] * 24}
    usage = {"timezone": "UTC", "interval": "PT1H", "channels": {"import": channel}}

    async def cost(tariff: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return await answer_of(alone, "POST", "/v1/costs", {"usage": usage, "tariff": tariff})

    for tariff in (naming("br@1"), naming("br", holidays=["2026-01-01"])):
        status, problem = await cost(tariff)
        assert (status, pointers(problem)) == (422, {"/tariff": "unknown_holidays"})
    assert (await cost(naming("br@1", holidays=["2026-01-01"])))[0] == 200
