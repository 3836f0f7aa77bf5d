"""Examples of kinds are in their schemas, and fit them."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from energia.convert.schema import Schemas, schema_of, tagged
from energia.plugins import Plugins
from energia.pricing.charges import Charge
from tests.core.testing import broken

BUNDLED = Plugins.installed().charges()


def schema(class_: type[Charge]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of a kind as the API has it, and the part that is its own."""
    found = schema_of(class_)
    own = found["$defs"][found["$ref"].rpartition("/")[2]]
    return found, tagged(own, class_, class_.kind)


@pytest.mark.parametrize("kind", sorted(BUNDLED))
def test_examples_are_shown_and_fit(kind: str) -> None:
    """Whoever copies one has a charge that its schema allows."""
    found, own = schema(BUNDLED[kind])

    assert own["examples"]
    validator = jsonschema.Draft202012Validator(found)
    for example in own["examples"]:
        assert not list(validator.iter_errors(example))


def test_inherited_fields_are_described() -> None:
    """What `BaseCharge` says of `description` and `tags` holds for every kind."""
    _, own = schema(broken.Right)

    assert own["properties"]["description"]["description"].startswith("What its lines are called")
    assert own["properties"]["tags"]["description"].startswith("Marks of its lines")
    assert own["properties"]["rate"]["description"] == "The price of a unit."


def test_the_union_of_kinds_has_them_too() -> None:
    """The OpenAPI document is made of it."""
    schemas = Schemas()
    schemas.union(Charge, "Charge", {"test.right": broken.Right})
    schemas.of(Charge)

    assert schemas.components["ChargeTestRight"]["examples"] == list(broken.Right.examples)


def test_kinds_without_examples_state_none() -> None:
    """An empty list would say that there are."""
    assert "examples" not in schema(type("Bare", (broken.Right,), {"examples": ()}))[1]
