"""Draws charges near the examples of their kind: with other numbers, without what is optional."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from hypothesis import strategies as st

from energia.errors import EnergiaError
from energia.pricing.charges import Charge
from energia.testing.case import Case
from energia.testing.pricing import Document, Pricing
from energia.testing.typed import charge_documents

#: Where a value is in a document: names and indexes.
Path = tuple[str | int, ...]


@st.composite
def near_examples(draw: st.DrawFn, class_: type[Charge], pricing: Pricing) -> Document:
    """Draw charges of a kind that states examples; one that does not fit is an example instead."""
    example: Document = draw(st.sampled_from(list(getattr(class_, "examples", ()))))
    if draw(st.booleans()):
        document = draw(_varied(example))
    else:
        try:
            document = draw(charge_documents(class_))
        except TypeError:  # no values of a type of a field can be drawn
            return example
    return document if fits(class_, document, pricing) else example


def fits(class_: type[Charge], document: Document, pricing: Pricing) -> bool:
    """Tell whether a tariff may have a charge, after those that its kind is about."""
    try:
        Case(class_, document, pricing).tariff()
    except EnergiaError:
        return False
    return True


@st.composite
def _varied(draw: st.DrawFn, example: Document) -> Document:
    """Draw an example with one or two other numbers."""
    found: Any = example
    paths = list(_numbers(example))
    if not paths:
        return example
    for path in draw(st.lists(st.sampled_from(paths), min_size=1, max_size=2, unique=True)):
        whole = isinstance(_at(example, path), int)
        number = st.integers(0, 100) if whole else st.decimals(-5, 50, places=3).map(str)
        found = _replaced(found, path, draw(number))
    varied: Document = found
    return varied


def _numbers(value: object, at: Path = ()) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _numbers(one, (*at, name))
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from _numbers(one, (*at, index))
    elif _is_number(value):
        yield at


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _replaced(value: Any, path: Path, one: object) -> Any:
    if not path:
        return one
    first, *rest = path
    inner = _replaced(value[first], tuple(rest), one)
    if isinstance(value, Mapping):
        return {**value, first: inner}
    return [inner if index == first else other for index, other in enumerate(value)]


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return False
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False
