"""Draws JSON documents of the types that the strict converter reads."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from operator import ne
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import attrs
from hypothesis import strategies as st
from msgspec import Meta

from energia.convert.fields import Field, fields
from energia.errors import EnergiaError
from energia.pricing.charges import BaseCharge, Charge
from energia.pricing.lines import Selection
from energia.pricing.schedule import Period, Schedule
from energia.testing.case import Case
from energia.testing.pricing import Document, Pricing

Strategy = st.SearchStrategy[Any]

#: What every charge has is left as it is.
_OF_ALL: Final = frozenset(attrs.fields_dict(BaseCharge))
_PERIODS: Final = ("peak", "shoulder", "low")
_ASCII: Final = st.characters(min_codepoint=33, max_codepoint=126)
_DECIMALS: Final = st.decimals(0, 50, places=4).map(str)
_SCALARS: Final[Mapping[object, Strategy]] = {
    Decimal: _DECIMALS,
    Fraction: st.fractions(1, 50, max_denominator=9).map(
        lambda drawn: f"{drawn.numerator}/{drawn.denominator}"
    ),
    int: st.integers(0, 100),
    bool: st.booleans(),
    str: st.text(_ASCII, min_size=1, max_size=20),
    date: st.dates(date(2019, 1, 1), date(2027, 12, 31)).map(date.isoformat),
    datetime: st.datetimes(datetime(2019, 1, 1), datetime(2027, 12, 31)).map(
        lambda moment: f"{moment.replace(microsecond=0).isoformat()}Z"
    ),
    timedelta: st.sampled_from(("PT15M", "PT30M", "PT1H")),
    NoneType: st.none(),
    Selection: st.just({}),
}
_DAYS: Final = ("weekday", "weekend", "holiday", "all", "mon", "tue", "wed", "fri", "sat", "sun")


def charge_documents(class_: type[Charge]) -> Strategy:
    """Draw objects whose fields are of the types that a kind states; not all may fit together."""
    given = [field for field in fields(class_) if field.name not in _OF_ALL]
    return _object(given).map(lambda drawn: {"kind": class_.kind, **drawn})


def of(type_: Any) -> Strategy:
    """Draw JSON values of a type; raises `TypeError` for one that it does not know."""
    if type_ in _SCALARS:
        return _SCALARS[type_]
    if type_ is Schedule:
        return schedules()
    if get_origin(type_) is not None:
        return _composed(get_origin(type_), get_args(type_))
    if isinstance(type_, type) and issubclass(type_, Enum):
        return st.sampled_from([member.value for member in type_])
    if attrs.has(type_):
        return st.deferred(lambda: _object(fields(type_)))
    raise TypeError(f"no values of {type_} can be drawn")


def _composed(origin: Any, arguments: tuple[Any, ...]) -> Strategy:
    if origin is Annotated:
        return _limited(arguments[0], arguments[1:])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of([of(argument) for argument in arguments if argument is not NoneType])
    if issubclass(origin, Mapping):
        return st.dictionaries(of(arguments[0]), of(arguments[1]), min_size=1, max_size=3)
    return st.lists(of(arguments[0]), min_size=1, max_size=3)


@st.composite
def schedules(draw: st.DrawFn) -> dict[str, Any]:
    """Draw schedules with a default, as JSON has them."""
    times = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
    rules = []
    for _ in range(draw(st.integers(0, 3))):
        first = draw(times)
        rule: dict[str, Any] = {"period": draw(st.sampled_from(_PERIODS)), "from": first}
        rule["to"] = draw(times.filter(partial(ne, first)))
        rule["days"] = draw(st.lists(st.sampled_from(_DAYS), min_size=1, max_size=3, unique=True))
        rules.append(rule)
    return {"default": draw(st.sampled_from(_PERIODS)), "rules": rules}


@st.composite
def _object(draw: st.DrawFn, given: Iterable[Field]) -> dict[str, Any]:
    """Draw an object; what is by period has the periods of its schedule."""
    drawn: dict[str, Any] = {}
    for field in sorted(given, key=lambda field: not _is_schedule(field.type)):
        if field.required or draw(st.booleans()):
            drawn[field.json_name] = draw(_field(field, drawn))
    return drawn


def _field(field: Field, before: Mapping[str, Any]) -> Strategy:
    schedule = next((drawn for drawn in before.values() if _has_rules(drawn)), None)
    value = _by_period(field.type)
    if schedule is None or value is None:
        return of(field.type)
    names = dict.fromkeys([rule["period"] for rule in schedule["rules"]] + [schedule["default"]])
    return st.fixed_dictionaries({name: of(value) for name in names})


def _by_period(type_: Any) -> Any:
    """Return the type of the values of a table by period; None for another type."""
    for part in _parts(type_):
        if get_origin(part) is dict and get_args(part)[0] == Period:
            return get_args(part)[1]
    return None


def _is_schedule(type_: Any) -> bool:
    return any(part is Schedule for part in _parts(type_))


def _parts(type_: Any) -> Iterable[Any]:
    """Return the types that a union or an annotated type is made of."""
    if get_origin(type_) is Annotated:
        return _parts(get_args(type_)[0])
    if get_origin(type_) in (Union, UnionType):
        return [part for argument in get_args(type_) for part in _parts(argument)]
    return [type_]


def _has_rules(value: object) -> bool:
    return isinstance(value, Mapping) and {"rules", "default"} <= value.keys()


def _limited(type_: Any, metadata: tuple[object, ...]) -> Strategy:
    drawn = of(type_)
    for limit in metadata:
        if isinstance(limit, Meta):
            if limit.pattern is not None:
                drawn = st.from_regex(limit.pattern, fullmatch=True, alphabet=_ASCII)
            drawn = drawn.filter(_within(limit))
    return drawn


def _within(limit: Meta) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        number = Decimal(value) if _is_number(value) else None
        size = len(value) if hasattr(value, "__len__") else 0
        return (
            (number is None or limit.ge is None or number >= limit.ge)
            and (number is None or limit.gt is None or number > limit.gt)
            and (number is None or limit.le is None or number <= limit.le)
            and (number is None or limit.lt is None or number < limit.lt)
            and size >= (limit.min_length or 0)
            and size <= (limit.max_length or size)
        )

    return fits


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return False
    try:
        return Decimal(value).is_finite()
    except ArithmeticError:
        return False


# Draws charges near the examples of their kind: with other numbers, without what is optional.

#: Where a value is in a document: names and indexes.
Path = tuple[str | int, ...]


@st.composite
def near_examples(draw: st.DrawFn, class_: type[Charge], pricing: Pricing) -> Document:
    """Draw charges of a kind that states examples; one that does not fit is an example instead."""
    example: Document = draw(st.sampled_from(class_.examples))
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
    document: Any = example
    paths = list(_numbers(example))
    if not paths:
        return example
    for path in draw(st.lists(st.sampled_from(paths), min_size=1, max_size=2, unique=True)):
        whole = isinstance(_at(example, path), int)
        number = st.integers(0, 100) if whole else st.decimals(-5, 50, places=3).map(str)
        document = _replaced(document, path, draw(number))
    varied: Document = document
    return varied


def _numbers(value: object, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _numbers(item, (*path, name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _numbers(item, (*path, index))
    elif _is_number(value):
        yield path


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _replaced(value: Any, path: Path, replacement: object) -> Any:
    if not path:
        return replacement
    first, *rest = path
    inner = _replaced(value[first], tuple(rest), replacement)
    if isinstance(value, Mapping):
        return {**value, first: inner}
    return [inner if index == first else element for index, element in enumerate(value)]
