"""Tariffs and charge kinds over HTTP."""

from tests.core.pricing.asking import BODY, FLAT, answer_of, pointers
from tests.serving import Client


async def test_a_tariff_is_made_replaced_and_deleted(client: Client) -> None:
    """PUT answers 201, then 200; DELETE 204; then 404."""
    path = "/v1/tariffs/branca"
    statuses = [(await answer_of(client, "PUT", path, BODY))[0] for _ in range(2)]
    _, found = await answer_of(client, "GET", path)

    assert statuses == [201, 200]
    assert (found["id"], found["versions"][0]["charges"]) == (
        "branca",
        [FLAT | {"channel": "import"}],
    )
    assert (await answer_of(client, "PUT", path, found))[1] == found
    assert (await answer_of(client, "DELETE", path))[0] == 204
    assert (await answer_of(client, "GET", path))[0] == 404


async def test_a_posted_tariff_gets_an_id(client: Client) -> None:
    """Without an id the server makes one; the same again is 200, another one with its id 409."""
    status, made = await answer_of(client, "POST", "/v1/tariffs", BODY)

    assert status == 201
    assert (await answer_of(client, "GET", f"/v1/tariffs/{made['id']}"))[1] == made
    assert await answer_of(client, "POST", "/v1/tariffs", made) == (200, made)
    other = {**made, "name": "Other"}
    assert (await answer_of(client, "POST", "/v1/tariffs", other))[0] == 409


async def test_tariffs_are_listed_in_pages(client: Client) -> None:
    """`next` leads on to the next page; the last page has none."""
    for id_ in ("a", "b", "c"):
        await answer_of(client, "PUT", f"/v1/tariffs/{id_}", BODY)

    _, first = await answer_of(client, "GET", "/v1/tariffs?limit=2")
    _, second = await answer_of(client, "GET", f"/v1/tariffs?limit=2&cursor={first['next']}")

    assert [one["id"] for one in first["items"]] == ["a", "b"]
    assert [one["id"] for one in second["items"]] == ["c"]
    assert second["next"] is None


async def test_another_id_than_that_of_the_path_is_refused(client: Client) -> None:
    """The body may repeat the id, not contradict it."""
    status, problem = await answer_of(client, "PUT", "/v1/tariffs/a", BODY | {"id": "b"})

    assert (status, pointers(problem)) == (422, {"/id": "wrong_id"})


async def test_overlapping_versions_have_a_code_of_their_own(alone: Client) -> None:
    """422 `versions_overlap` needs no database."""
    version = BODY["versions"][0]
    body = BODY | {"versions": [version, version | {"valid_from": "2026-01-01"}]}

    status, problem = await answer_of(alone, "PUT", "/v1/tariffs/a", body)

    assert (status, problem["code"]) == (422, "versions_overlap")
    assert pointers(problem) == {"/versions/0/valid_to": "versions_overlap"}


async def test_charge_kinds_have_schemas(alone: Client) -> None:
    """Each kind tells who offers it and what its JSON is."""
    _, found = await answer_of(alone, "GET", "/v1/charge-kinds")

    assert [(one["kind"], one["plugin"]) for one in found["items"]] == [
        ("energy.flat", "tariff-flat"),
        ("energy.time_of_use", "tariff-time-of-use"),
        ("fixed", "tariff-fixed"),
    ]
    schema = found["items"][2]["schema"]
    assert schema["$defs"]["Fixed"]["required"] == ["kind", "amount", "per"]
    assert schema["$defs"]["Fixed"]["properties"]["kind"] == {"const": "fixed"}
