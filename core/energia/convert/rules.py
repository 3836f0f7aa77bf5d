"""Rules over several fields of an object, which no type of a field can state.

A class lists them as `__rules__`. A rule is a function whose parameters are fields of the class, by
name, and that yields faults with pointers relative to the object. The constructor enforces them:

    @attrs.frozen
    class Window:
        __rules__: ClassVar[Rules] = (_ordered,)

        start: int
        end: int

        def __attrs_post_init__(self) -> None:
            enforce(self)

    def _ordered(start: int, end: int) -> Iterator[Fault]:
        if end <= start:
            yield Fault("empty_window", "the window is empty", "/end")

Where fields of an object have faults the converter still runs those rules whose fields have none.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, TypeAlias, cast

import attrs

from energia.convert.faults import Found, refusal
from energia.errors import Fault

#: What yields the faults of an object, given some of its fields by name.
Rule: TypeAlias = Callable[..., Iterable[Fault]]
Rules: TypeAlias = tuple[Rule, ...]
#: The type of a rule's parameter that takes an array even where some of its objects have faults:
#: these are `Partly`, or None where nothing could be read. Missing objects must break no rule.
Parts = Annotated[Sequence[object], "some of them may be read in part"]


@attrs.frozen
class Partly:
    """What could be read of an object with faults.

    Attributes:
        class_: What it would be.
        fields: The fields without faults, and the parts of those with faults.
        faulty: The names of the fields that have faults.

    """

    class_: type
    fields: Mapping[str, object]
    faulty: frozenset[str] = frozenset()


def enforce(value: attrs.AttrsInstance) -> None:
    """Refuse an object that breaks a rule of its class; raises `Invalid` with all faults."""
    found = Found()
    for fault in broken(Partly(type(value), fields_of(value))):
        found.one(fault)
    if found.faults:
        raise refusal(found)


def broken(value: Partly) -> Iterator[Fault]:
    """Yield the faults by the rules whose fields could be read."""
    rules: Rules = getattr(value.class_, "__rules__", ())
    for rule in rules:
        needed = _parameters(rule)
        if all(
            name in value.fields and (takes_parts or name not in value.faulty)
            for name, takes_parts in needed.items()
        ):
            yield from rule(**{name: value.fields[name] for name in needed})


def fields_of(part: object) -> Mapping[str, Any]:
    """Return those fields of one of the `Parts` that could be read, by name."""
    if part is None:
        return {}
    if isinstance(part, Partly):
        return {name: part.fields[name] for name in part.fields if name not in part.faulty}
    class_ = cast("type[attrs.AttrsInstance]", type(part))
    return {name: getattr(part, name) for name in attrs.fields_dict(class_)}


@lru_cache(maxsize=256)
def _parameters(rule: Rule) -> Mapping[str, bool]:
    """Return the names of a rule's parameters, and whether each takes `Parts`."""
    stated = inspect.signature(rule).parameters.values()
    return {one.name: one.annotation == Parts for one in stated}
