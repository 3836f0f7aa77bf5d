"""The OpenAPI document."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from energia.errors import PluginError
from energia.hookspecs import hookimpl
from energia.plugins import Plugins
from energia.web.app import create_app
from energia.web.openapi import TAGS
from energia.web.routes import Route
from tests.core.web import fakes
from tests.serving import Client, make_core


async def document(client: Client) -> Any:
    """Return the document as it is served."""
    async with client.get("/openapi.json") as answer:
        assert answer.status == 200
        return await answer.json()


async def test_valid(client: Client) -> None:
    """The document is valid OpenAPI 3.1, plugin routes included, with unique operation ids."""
    found = await document(client)
    OpenAPIV31SpecValidator(found).validate()
    operations = [one["operationId"] for path in found["paths"].values() for one in path.values()]

    assert found["openapi"].startswith("3.1")
    assert {"/v1/things/{thing}", "/health", "/v1/plugins"} <= set(found["paths"])
    assert len(operations) == len(set(operations))


async def test_operation(client: Client) -> None:
    """An operation says what its handler's signature and docstring say."""
    paths = (await document(client))["paths"]
    get, put = paths["/v1/things/{thing}"]["get"], paths["/v1/things/{thing}"]["put"]
    limit = {"type": "integer", "default": 10}

    assert (get["summary"], get["description"]) == ("Return a thing.", "The second paragraph.")
    assert [(one["name"], one["in"], one["required"]) for one in get["parameters"]] == [
        ("thing", "path", True),
        ("since", "query", False),
        ("limit", "query", False),
        ("If-None-Match", "header", False),
    ]
    assert get["parameters"][2]["schema"] == limit
    assert set(get["responses"]) == {
        *("200", "304", "400", "401", "403", "404", "406", "412", "422", "429", "503"),
    }
    assert set(put["responses"]) == {
        *("200", "201", "400", "401", "403", "406", "408", "413", "415", "422", "429", "503"),
    }
    assert "Location" in put["responses"]["201"]["headers"]
    thing = {"$ref": "#/components/schemas/NewThing"}
    assert put["requestBody"]["content"]["application/json"]["schema"] == thing
    problem = {"$ref": "#/components/schemas/Problem"}
    assert get["responses"]["404"]["content"]["application/problem+json"]["schema"] == problem


async def test_a_query_that_is_too_long(client: Client) -> None:
    """It is not read as HTTP, and so 400: wherever there may be a query, that is documented."""
    paths = (await document(client))["paths"]
    queried = {
        f"{method} {path}": set(one["responses"])
        for path, methods in paths.items()
        for method, one in methods.items()
        if any(parameter["in"] == "query" for parameter in one.get("parameters", ()))
    }

    assert queried
    assert [name for name, statuses in queried.items() if "400" not in statuses] == []


async def test_other_answers(client: Client) -> None:
    """No content, files in and files out, and a database that may be away are documented."""
    paths = (await document(client))["paths"]

    assert "content" not in paths["/v1/things/{thing}"]["delete"]["responses"]["204"]
    assert set(paths["/v1/stream"]["get"]["responses"]["200"]["content"]) == {"text/csv"}
    assert set(paths["/v1/files"]["post"]["requestBody"]["content"]) == {
        *("application/octet-stream", "multipart/form-data")
    }
    assert "503" in paths["/v1/stored"]["get"]["responses"]


async def test_reads_that_a_replica_may_answer(client: Client) -> None:
    """What a replica may answer takes an age, and says where it was read; nothing else does."""
    paths = (await document(client))["paths"]
    reads, write = paths["/v1/sites"]["get"], paths["/v1/sites/{site}"]["put"]

    assert "Cache-Control" in [one["name"] for one in reads["parameters"]]
    assert "Energia-Read-From" in reads["responses"]["200"]["headers"]
    assert "Cache-Control" not in [one["name"] for one in write["parameters"]]
    assert "Energia-Read-From" not in write["responses"]["200"].get("headers", {})


async def test_headings(client: Client) -> None:
    """The core's headings come in a reader's order, then a plugin's; paths follow them."""
    found = await document(client)
    names = [one["name"] for one in found["tags"]]
    operations = [one for path in found["paths"].values() for one in path.values()]

    assert names[: len(TAGS)] == list(TAGS)
    assert names[len(TAGS) :] == [
        "things",
        "numbers",
        "choice",
        "files",
        "blocking",
        "stored",
        "stream",
        "slow",
        "asleep",
        "drops",
        "long",
    ]
    assert all(one["description"] for one in found["tags"][:7])
    assert found["paths"]["/v1/places"]["get"]["tags"] == ["Sites"]
    assert found["paths"]["/v1/things"]["post"]["tags"] == ["things"]
    order = [names.index(one["tags"][0]) for one in operations]
    assert order == sorted(order)


async def test_examples(client: Client) -> None:
    """Bodies, required parameters and errors are shown by examples."""
    paths = (await document(client))["paths"]
    put, places = paths["/v1/things/{thing}"]["put"], paths["/v1/places"]["get"]
    lamp = {"A lamp": {"value": {"name": "lamp", "price": "9.50"}}}
    refused = put["responses"]["422"]["content"]["application/problem+json"]["examples"]

    assert put["requestBody"]["content"]["application/json"]["examples"] == lamp
    assert places["parameters"][0]["example"] == 5
    assert refused["invalid"]["value"]["errors"][0]["pointer"] == "/name"


async def test_other_statuses(client: Client) -> None:
    """An answer that is no problem document is described by its type."""
    paths = (await document(client))["paths"]
    answer = paths["/v1/places"]["get"]["responses"]["503"]
    health = paths["/health"]["get"]["responses"]["503"]

    assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Thing")
    assert health["content"]["application/health+json"]["schema"]["$ref"].endswith("/Health")
    assert "503" in paths["/health/ready"]["get"]["responses"]


async def test_components_have_clean_names(client: Client) -> None:
    """No two classes of one name meet in the document."""
    names = (await document(client))["components"]["schemas"]

    assert [name for name in names if not name.isalpha()] == []


async def test_start_redirects(client: Client) -> None:
    """Without the documentation page, / leads to the document."""
    async with client.get("/", allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"] == "/openapi.json"


async def test_plugins(client: Client) -> None:
    """The plugins are listed with their hooks, and without values of settings."""
    async with client.get("/v1/plugins") as answer:
        assert await answer.json() == {
            "items": [
                {
                    "name": "fakes",
                    "family": "fakes",
                    "state": "loaded",
                    "hooks": ["register_routes"],
                }
            ],
            "next": None,
        }


async def test_two_routes_of_one_path() -> None:
    """Two plugins that answer the same requests do not start."""

    class Other:
        @hookimpl
        def register_routes(self) -> list[Route]:
            return fakes.routes

    core = make_core(plugins=Plugins.of(fakes=fakes, other=Other()))
    with pytest.raises(PluginError, match="GET /v1/things/"):
        create_app(core)
