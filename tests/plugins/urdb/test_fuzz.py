"""Whatever becomes of a rate on its way, it is imported or refused with pointers."""

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from energia import Fault, ImportOptions, Invalid, convert
from energia.pricing.importing import imported
from energia_plugins.tariff_open_energy import OpenEnergyImporter
from energia_plugins.tariff_ratebook import RatebookImporter
from energia_plugins.tariff_urdb import UrdbImporter
from tests.core.pricing.documents import CONVERTER

DATA = Path(__file__).parents[2] / "data" / "accuracy"
RATES = [
    convert.parse(path.read_bytes())["urdb"]  # type: ignore[index]
    for path in sorted((DATA / "pysam" / "cases").glob("*.json"))
]
BOOKS = [
    convert.parse(path.read_bytes())
    for path in sorted((DATA / "ratebook/ratebook-data/dataset/tariffs").glob("*.json"))
]
ENTRY = {
    "meta": {"provider": "P", "plan": "Q", "currency": "EUR", "timezone": "UTC"},
    "tariff": {
        "kind": "tou",
        "supply": {"daily": Decimal("0.5")},
        "import": {
            "bands": [{"id": "a", "name": "A", "rate": Decimal("0.2")}],
            "schedule": [{"days": "all", "from": "00:00", "to": "24:00", "band": "a"}],
        },
        "export": {"flatRate": Decimal("0.05")},
    },
}
NUMBERS = [0, -1, 1, 25, 10**40, 12345678901, Decimal("0.1"), Decimal("1e400"), Decimal("-1e-200")]
OTHERS: list[Any] = [
    None,
    True,
    "",
    "x",
    "1",
    "2024-01-01",
    "\u00e9" * 600,
    [],
    {},
    [[]],
    [{}],
    {"rate": 1},
]
ODD = st.sampled_from([*NUMBERS, *OTHERS])
OPTIONS = st.builds(
    ImportOptions,
    timezone=st.sampled_from(["UTC", "America/Los_Angeles", "-03:00"]),
    tier_scope=st.sampled_from([None, "per_period", "pooled_chronological", "whole_band"]),
    exports=st.sampled_from(["include", "leave_out"]),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return all members of a document, each with what it is in; few of long arrays."""
    found: list[tuple[Any, Any]] = []
    keys = list(value) if isinstance(value, dict) else list(range(min(len(value), 4)))
    for key in keys:
        found.append((value, key))
        if isinstance(value[key], dict | list):
            found += places(value[key])
    return found


def survives(importer: Any, source: object, data: st.DataObject) -> None:
    """Change some members of *source*; it is imported, or refused with pointers."""
    document = copy.deepcopy(source)
    for _ in range(data.draw(st.integers(1, 4))):
        if not (found := places(document)):
            break
        parent, key = data.draw(st.sampled_from(found))
        odd = copy.deepcopy(data.draw(ODD))
        if isinstance(parent, dict) and data.draw(st.booleans()):
            parent.pop(key, None)
        elif isinstance(parent, dict) or key < len(parent):
            parent[key] = odd
    before = copy.deepcopy(document)
    faults = refusal(importer, document, data.draw(OPTIONS))
    assert all(fault.pointer is not None for fault in faults)
    assert document == before


def refusal(importer: Any, document: object, options: ImportOptions) -> tuple[Fault, ...]:
    """Return why *document* is refused; nothing if it is imported."""
    try:
        imported(importer, document, options, CONVERTER)
    except Invalid as error:
        return error.faults or (Fault("untold", "it has no faults"),)
    return ()


@given(st.data())
def test_a_rate_is_imported_or_refused(data: st.DataObject) -> None:
    """Mutations of real rates of the database."""
    survives(UrdbImporter(), data.draw(st.sampled_from(RATES)), data)


@given(st.data())
def test_a_ratebook_tariff_is_imported_or_refused(data: st.DataObject) -> None:
    """Mutations of real tariffs of the data set."""
    survives(RatebookImporter(), data.draw(st.sampled_from(BOOKS)), data)


@given(st.data())
def test_an_entry_is_imported_or_refused(data: st.DataObject) -> None:
    """Mutations of an entry of the collection."""
    survives(OpenEnergyImporter(), ENTRY, data)
