"""The examples of the OpenAPI document, sent as they are."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
import attrs

MEDIA = "application/json"


@attrs.frozen
class Sent:
    """A request that the document shows.

    Attributes:
        method: In small letters.
        path: With the ids of the examples.
        shows: What it is an example of.
        body: What is sent.
        makes: Whether something is there afterwards that was not.

    """

    method: str
    path: str
    shows: str
    body: Any
    makes: bool


def shown(document: dict[str, Any]) -> Iterator[Sent]:
    """Yield the JSON bodies of *document* in its order, with the examples of their paths."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get(MEDIA)
            if content is None:
                continue
            given = operation.get("parameters", ())
            ids = {one["name"]: one.get("example") for one in given}
            needed = [one for one in given if one["in"] == "query" and one["required"]]
            query = urlencode({one["name"]: one["example"] for one in needed})
            for shows, example in content.get("examples", {"": {"value": None}}).items():
                url = f"{path.format(**ids)}?{query}" if query else path.format(**ids)
                makes = "201" in operation["responses"]
                yield Sent(method, url, shows, example["value"], makes)


async def test_every_example_works(api: aiohttp.ClientSession) -> None:
    """Sent in the document's order, every body that it shows is accepted."""
    async with api.get("/openapi.json") as answer:
        requests = list(shown(await answer.json()))
    answers: dict[tuple[str, str, str], Any] = {}
    made: dict[str, str] = {}
    for one in requests:
        path = one.path
        if one.method == "put" and not one.makes:  # the service chose the id
            path = made[path.rpartition("/")[0]]
        async with api.request(one.method, path, json=one.body) as answer:
            made[path] = answer.headers.get("Location", path)
            answers[one.method, one.path, one.shows] = (answer.status, await answer.json())

    assert len(answers) >= 12
    assert [one for one in requests if not one.shows] == []
    refused = {key for key, answer in answers.items() if answer[0] // 100 != 2}
    # That one is of a factory's year, of which there are no readings.
    assert {path for _, path, _ in refused} == {"/v1/brazil/questions/demand"}
    costs = [answer for key, (_, answer) in answers.items() if key[1] == "/v1/costs"]
    assert [cost["coverage"]["missing"] for cost in costs] == [0, 0]
    assert [one["period"] for one in costs[0]["lines"] if one["code"].endswith(".te")] == [
        "ponta",
        "intermediario",
        "fora_ponta",
    ]


async def test_what_is_got_can_be_put(api: aiohttp.ClientSession) -> None:
    """What GET gives, defaults included, PUT accepts; nothing changes by it."""
    async with api.get("/openapi.json") as answer:
        puts = [one for one in shown(await answer.json()) if one.method == "put" and one.makes]
    # What a tariff that follows tables is put with is a request; GET tells of what became of it.
    made = [one for one in puts if not one.path.startswith("/v1/brazil/")]
    for one in made:
        async with api.put(one.path, json=one.body) as answer:
            assert answer.status == 201, await answer.text()
    for one in made:
        async with api.get(one.path) as answer:
            got = await answer.json()
        async with api.put(one.path, json=got) as answer:
            put = (answer.status, await answer.json())
        async with api.get(one.path) as answer:
            again = await answer.json()

        assert next(iter(got)) == "id"
        assert put == (200, got)
        assert again == got

    assert [one.path for one in made] == [
        "/v1/sites/casa",
        "/v1/meters/UC-123",
        "/v1/csv-mappings/be-fluvius",
        "/v1/tariffs/branca",
        "/v1/holiday-lists/br-national",
        "/v1/price-series/spot-es",
        "/v1/contracts/casa-2026",
    ]
