"""Rates of the database, and what is made of them."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from energia import Imported, ImportOptions, Invalid
from energia.pricing.importing import imported
from energia_plugins.tariff_urdb import UrdbImporter
from tests.core.pricing.documents import CONVERTER

#: Every hour in the first period.
ZEROS = [[0] * 24 for _ in range(12)]
#: From four to nine in the evening of June to September in the second period.
EVENINGS = [[int(5 <= month <= 8 and 16 <= hour < 21) for hour in range(24)] for month in range(12)]


def rate(*periods: list[Any], **fields: Any) -> dict[str, Any]:
    """Return a rate for energy with *periods*, the second one in summer's evenings if there is."""
    table = EVENINGS if len(periods) > 1 else ZEROS
    energy = {
        "energyratestructure": list(periods) or [[{"rate": "0.1"}]],
        "energyweekdayschedule": table,
        "energyweekendschedule": ZEROS,
    }
    return {**energy, "startdate": "2024-01-01", **fields}


def read(document: object, **options: Any) -> Imported:
    """Import a document; it stays as it was, and what comes of it is a tariff."""
    before = copy.deepcopy(document)
    asked = ImportOptions(**{"timezone": "America/Chicago", **options})
    found = UrdbImporter().read(document, asked)
    imported(UrdbImporter(), document, asked, CONVERTER)
    assert document == before
    return found


def charges(document: object, **options: Any) -> dict[str, dict[str, Any]]:
    """Return the charges of the only version, by code."""
    (version,) = read(document, **options).tariff["versions"]
    return {charge["code"]: charge for charge in version["charges"]}


def warned(document: object, **options: Any) -> dict[str, str]:
    """Return the codes of the warnings, by pointer."""
    return {one.pointer: one.code for one in read(document, **options).warnings}


def refused(document: object, **options: Any) -> dict[str | None, str]:
    """Return the codes of what is refused, by pointer."""
    with pytest.raises(Invalid) as error:
        read(document, **options)
    return {fault.pointer: fault.code for fault in error.value.faults}


HOUR = timedelta(hours=1)
