"""What holds for every operation of the document, whatever it does."""

import re
from typing import Any, Final

import aiohttp
import attrs
import pytest

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH")
#: Methods that a browser or a probe may try anywhere.
OTHERS: Final = ("OPTIONS", "TRACE")
JSON: Final = "application/json"


@attrs.frozen
class Operation:
    """An operation of the document."""

    method: str
    template: str
    document: dict[str, Any]

    @property
    def path(self) -> str:
        """The path, with an id in the place of each parameter."""
        return re.sub(r"\{\w+\}", "x", self.template)

    def answers(self, path: str) -> bool:
        """Tell whether *path* is one of its own."""
        return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", self.template), path) is not None

    @property
    def produces(self) -> set[str]:
        """The media types of its ordinary answers."""
        good = [one for code, one in self.document["responses"].items() if code[0] == "2"]
        return {name for answer in good for name in answer.get("content", ())}


@pytest.fixture(name="operations")
async def _operations(api: aiohttp.ClientSession) -> list[Operation]:
    """Give the operations of a service with every bundled plugin."""
    async with api.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    return [
        Operation(method.upper(), path, document)
        for path, methods in paths.items()
        for method, document in methods.items()
    ]


async def problem(answer: aiohttp.ClientResponse, status: int) -> dict[str, Any]:
    """Return the problem document of an answer, which has an id."""
    text = await answer.text()
    assert answer.status == status, (answer.method, answer.url, text)
    assert answer.content_type == "application/problem+json"
    found: dict[str, Any] = await answer.json(content_type=None)
    assert found["request_id"] == answer.headers["X-Request-Id"]
    return found


async def test_other_methods_are_405(
    api: aiohttp.ClientSession, operations: list[Operation]
) -> None:
    """`Allow` names exactly the methods of the path, HEAD with GET."""
    for path in dict.fromkeys(one.path for one in operations):
        methods = {one.method for one in operations if one.answers(path)}
        methods |= {"HEAD"} if "GET" in methods else set()
        for method in {*METHODS, *OTHERS} - methods:
            async with api.request(method, path) as answer:
                found = await problem(answer, 405)

                assert found["code"] == "method_not_allowed"
                assert set(re.split(r",\s*", answer.headers["Allow"])) == methods


async def test_types_that_cannot_be_given_are_406(
    api: aiohttp.ClientSession, operations: list[Operation]
) -> None:
    """An operation that answers with JSON says what it can answer with; nothing is done."""
    asked = [one for one in operations if JSON in one.produces or "text/csv" in one.produces]
    for one in asked:
        headers = {"Accept": "image/png"}
        async with api.request(one.method, one.path, headers=headers) as answer:
            found = await problem(answer, 406)

        assert all(name in found["detail"] for name in one.produces), found

    assert len(asked) > 30


@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_bodies_of_other_types_are_415(
    api: aiohttp.ClientSession, operations: list[Operation], type_: str | None
) -> None:
    """A JSON body says that it is one."""
    bodies = [(one, one.document.get("requestBody", {})) for one in operations]
    asked = [one for one, body in bodies if JSON in body.get("content", ())]
    skip = ("Content-Type",) if type_ is None else ()
    headers = {} if type_ is None else {"Content-Type": type_}
    for one in asked:
        async with api.request(
            one.method, one.path, data=b"{}", headers=headers, skip_auto_headers=skip
        ) as answer:
            assert (await problem(answer, 415))["code"] == "unsupported_media"

    assert len(asked) > 12


async def test_unknown_parameters_are_422(
    api: aiohttp.ClientSession, operations: list[Operation]
) -> None:
    """A misspelt parameter of a query does not go unnoticed."""
    for one in operations:
        if not one.path.startswith("/v1") or one.path == "/v1/imports":
            continue  # an import's other parameters are those of its format
        async with api.request(one.method, f"{one.path}?limitt=1") as answer:
            if answer.status != 400:  # a body was needed
                found = await problem(answer, 422)
                assert {"/query/limitt"} <= {fault["pointer"] for fault in found["errors"]}


async def test_head_is_get_without_a_body(
    api: aiohttp.ClientSession, operations: list[Operation]
) -> None:
    """With the same status and type, also where GET is refused."""
    for one in (one for one in operations if one.method == "GET"):
        async with api.get(one.path, allow_redirects=False) as answer:
            full = (answer.status, answer.content_type)
        async with api.head(one.path, allow_redirects=False) as answer:
            assert (answer.status, answer.content_type) == full, one.path
            assert await answer.read() == b""
