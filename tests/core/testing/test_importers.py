"""Importers of tariffs are given documents that are whole, damaged and wrong."""

from itertools import count
from typing import Any

import pytest

from energia.errors import Fault, Invalid
from energia.plugins import Plugins
from energia.pricing.importing import Imported, ImportOptions
from energia.testing import Pricing
from energia.testing.importers import of_importer

PRICING = Pricing.of()
IMPORTERS = Plugins.installed().tariff_importers()
_NUMBERS = count(1)


class Careful:
    """Reads a name and a price, and refuses all else."""

    format = "acme"
    description = "A price"
    examples: tuple[Any, ...] = ({"name": "Acme", "price": {"kwh": "0.1"}},)

    def read(self, document: object, options: ImportOptions) -> Imported:
        """Return the tariff."""
        match document:
            case {"name": str(name), "price": {"kwh": str(rate)}}:
                return Imported(tariff(name, rate))
        raise Invalid("it has no price", [Fault("no_price", "it has no price", "/price")])


class Careless(Careful):
    """Believes every document."""

    def read(self, document: Any, options: ImportOptions) -> Imported:
        """Return the tariff."""
        return Imported(tariff(document["name"], document["price"]["kwh"]))


class Takes(Careful):
    """Takes what it reads out of the document."""

    def read(self, document: Any, options: ImportOptions) -> Imported:
        """Return the tariff."""
        found = super().read(document, options)
        document.pop("price")
        document["price"] = {"kwh": "0.10"}
        return found


class Counts(Careful):
    """Names a tariff by how many it has read."""

    def read(self, document: Any, options: ImportOptions) -> Imported:
        """Return the tariff."""
        found = super().read(document, options)
        return Imported({**found.tariff, "name": f"Acme {next(_NUMBERS)}"})


class Refuses(Careful):
    """States an example that it does not read."""

    examples = ({"name": "Acme"},)


def tariff(name: str, rate: str) -> dict[str, Any]:
    """Return a tariff of one price."""
    charge = {"kind": "energy.flat", "rate": rate}
    version = {"valid_from": "2020-01-01", "charges": [charge]}
    return {"name": name, "currency": "USD", "timezone": "UTC", "versions": [version]}


def failures(importer: Careful) -> dict[str, str]:
    """Return the checks that fail, and why."""
    return {
        one.check: one.detail for one in of_importer(importer, PRICING) if one.state == "failed"
    }


def test_a_careful_importer_passes() -> None:
    """Whatever it is given, it gives a tariff or faults."""
    assert {one.state for one in of_importer(Careful(), PRICING)} == {"passed"}


@pytest.mark.parametrize(
    ("importer", "check", "why"),
    [
        (Careless(), "damage_is_told", "KeyError for "),
        (Careless(), "anything_is_told", "TypeError for None: "),
        (Takes(), "tariffs_come_out", "it changes the document that it reads"),
        (Counts(), "tariffs_come_out", "the same document gives another tariff"),
        (Refuses(), "tariffs_come_out", "an example is refused: /price: it has no price"),
    ],
)
def test_what_is_wrong_is_found(importer: Careful, check: str, why: str) -> None:
    """Each is wrong in one way, and a check says which."""
    assert why in failures(importer)[check]


@pytest.mark.parametrize("name", sorted(IMPORTERS))
def test_bundled_importers_survive_anything(name: str) -> None:
    """What comes along is careful too."""
    assert [one for one in of_importer(IMPORTERS[name], PRICING) if one.state == "failed"] == []
