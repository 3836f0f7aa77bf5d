"""The document of the API as generators of clients read it: of a service with every plugin."""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import pytest
import requests

from energia.plugins import Plugins
from energia.web.app import document
from tests.e2e.test_schema import GOOD, document_of, send

DOCUMENT: Final[Any] = document(Plugins.installed())
SCHEMAS: Final[dict[str, Any]] = DOCUMENT["components"]["schemas"]
OPERATIONS: Final[dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
#: The nouns that mean one thing in all of the document; any other name says what it is of.
NOUNS: Final = re.findall(
    r"\w+",
    """
    Arithmetic Assumption Bill Channel Charge Comparison Contract Correction Cost Coverage Deletion
    Explanation Export Fault Gap Health Job Meter Plugin Problem Reading Readings Repricing Rounding
    Schedule Season Site Stretch Stretches Sum Tariff Tax Token Usage Webhook
    """,
)
#: What operations do.
VERBS: Final = re.findall(
    r"\w+",
    """
    cancel check compare compute create delete erase explain find get import issue list make post
    preview put read reprice resend resume rotate run send test update
    """,
)


def objects(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the schemas of objects in a part of the document, each with where it is."""
    if isinstance(part, dict):
        if isinstance(part.get("properties"), dict):
            yield path, part
        for name, value in part.items():
            if name not in ("example", "examples"):
                yield from objects(value, f"{path}/{name}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from objects(value, f"{path}/{index}")


def bodies(operation: Any) -> Iterator[tuple[str, Any]]:
    """Yield the media types of an operation: what it takes, and what it answers."""
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield from part.get("content", {}).items()


def snake(name: str) -> str:
    """Return what a generator calls the variable of a class."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def test_every_property_is_described() -> None:
    """But for the constant that tells the members of a union apart."""
    found = list(objects(DOCUMENT))
    silent = [
        f"{path}/{name}"
        for path, schema in found
        for name, value in schema["properties"].items()
        if not value.get("description") and "const" not in value
    ]

    assert len(found) > 150
    assert silent == []


def test_every_schema_and_operation_is_described() -> None:
    """In a sentence each, and every parameter too."""
    parameters = {
        f"{label} {one['name']}": one.get("description")
        for label, operation in OPERATIONS.items()
        for one in operation.get("parameters", ())
    }
    schemas = {name: schema.get("description") for name, schema in SCHEMAS.items()}
    summaries = {label: operation.get("summary") for label, operation in OPERATIONS.items()}

    described = {**parameters, **schemas, **summaries}
    assert [name for name, text in described.items() if not text] == []


def test_every_body_has_a_schema() -> None:
    """Files too, text and bytes: a generator leaves out what has none."""
    empty = [
        f"{label}: {media_type}"
        for label, operation in OPERATIONS.items()
        for media_type, body in bodies(operation)
        if not body.get("schema")
    ]

    assert empty == []


def test_names_of_schemas() -> None:
    """A name is a noun that all know, or says what it is of; it has no number."""
    words = {name: re.findall("[A-Z][a-z]+", name.removeprefix("New")) for name in SCHEMAS}

    assert [name for name in SCHEMAS if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []
    assert {parts[0] for parts in words.values() if len(parts) == 1} <= set(NOUNS)
    assert [name for name in SCHEMAS if "PageOf" in name] == []


def test_no_property_has_the_name_of_its_schema() -> None:
    """Generated code has a variable for the object, and one for each of its properties."""
    assert [name for name in SCHEMAS if snake(name) in SCHEMAS[name].get("properties", ())] == []


def test_no_schema_twice() -> None:
    """Two names for one thing would be two classes that cannot stand for each other."""
    names = defaultdict(list)
    for name, schema in SCHEMAS.items():
        names[json.dumps(schema, sort_keys=True)].append(name)

    assert [same for same in names.values() if len(same) > 1] == []


def test_what_is_sent_is_new() -> None:
    """Of a schema that comes in two, the one that is sent is `New...`, and is never answered."""
    referred = {
        label: set(re.findall(r"schemas/(\w+)", json.dumps(operation["responses"])))
        for label, operation in OPERATIONS.items()
    }
    reached = set().union(*referred.values())
    while (
        more := {
            name
            for known in reached
            for name in re.findall(r"schemas/(\w+)", json.dumps(SCHEMAS[known]))
        }
        - reached
    ):
        reached |= more

    # Charges are documents: they are answered as they may be sent, with parameters in them.
    of_charges = {
        name
        for charge in SCHEMAS
        if charge.startswith("Charge")
        for name in re.findall(r"schemas/(\w+)", json.dumps(SCHEMAS[charge]))
    }
    assert [name for name in reached - of_charges if name.startswith("New")] == []


def test_what_has_a_default_is_optional_for_generators() -> None:
    """They take a property with a `default` to be there always: its description has the default."""
    stated = [
        f"{path}/{name}"
        for path, schema in objects(SCHEMAS)
        for name, value in schema["properties"].items()
        if "default" in value
    ]

    assert stated == []


def test_names_of_operations() -> None:
    """A verb and what it does it to; all differ."""
    names = [operation["operationId"] for operation in OPERATIONS.values()]

    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert {name.partition("_")[0] for name in names} <= set(VERBS)
    assert len(names) == len(set(names))


def test_the_server_is_named() -> None:
    """The document is served by the service that it is of."""
    assert [server["url"] for server in DOCUMENT["servers"]] == ["/"]


async def test_answers_are_what_the_document_says(url: str) -> None:
    """Every operation's answer has all that is always there, and nothing else."""

    def run() -> dict[str, list[str]]:
        found = document_of(url)
        with requests.Session() as session:
            return {label: list(faults(found, label, send(session, url, label))) for label in GOOD}

    wrong = await asyncio.to_thread(run)

    assert {label: said for label, said in wrong.items() if said} == {}


def faults(found: Any, label: str, answer: requests.Response) -> Iterator[str]:
    """Yield what the document does not allow of an answer."""
    method, path = label.split()
    answer = answer.history[0] if answer.history else answer
    stated = found["paths"][path][method.lower()]["responses"][str(answer.status_code)]
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if not stated.get("content"):
        return
    if media_type not in stated["content"]:
        yield f"{media_type} is not among {', '.join(stated['content'])}"
    elif media_type.endswith("json"):
        schema = {**stated["content"][media_type]["schema"], "components": found["components"]}
        validator = jsonschema.Draft202012Validator(schema)
        yield from (error.message[:300] for error in validator.iter_errors(answer.json()))


def test_first_names_are_deprecated() -> None:
    """A reserved word is no name of a property, unless it is an old one beside `id`."""
    reserved = [
        (name, schema["properties"]["import"].get("deprecated"), "id" in schema["properties"])
        for name, schema in SCHEMAS.items()
        if "import" in schema.get("properties", ())
    ]

    assert reserved == [
        (name, True, True) for name in ("ImportOutcome", "ImportRecord", "ImportSummary")
    ]


def test_lists_have_items() -> None:
    """What is documented as a series has `data` or a `ranking`; every other list is a page."""
    pages = {name: schema for name, schema in SCHEMAS.items() if name.endswith("Page")}
    series = {
        name: [
            field
            for field in ("data", "ranking", "results")
            if schema.get("properties", {}).get(field, {}).get("type") == "array"
        ]
        for name, schema in SCHEMAS.items()
    }

    assert all(set(page["properties"]) == {"items", "next"} for page in pages.values())
    assert {name: fields for name, fields in series.items() if fields} == {
        "Comparison": ["ranking"],
        "SeriesPrices": ["data"],
        "Sum": ["data"],
        "TariffPrices": ["data"],
        "Usage": ["data"],
    }


@pytest.mark.parametrize("label", ["POST /v1/imports", "POST /v1/imports/preview"])
def test_options_of_a_format_are_a_parameter(label: str) -> None:
    """They have names of their own: an object that is taken apart."""
    (options,) = (one for one in OPERATIONS[label]["parameters"] if one["name"] == "options")

    assert (options["style"], options["explode"]) == ("form", True)
    assert options["schema"]["additionalProperties"] == {"type": "string"}
