"""What plugins may import, and what their objects may state: the names, and misspelt ones.

What everything of a sort has is in its protocol (`Charge`, `Measure`, `Probe`, ...). What only some
have is here: the core asks with `isinstance`, so that its types are checked where it is stated.
A name that is misspelt would be passed over in silence; `misspelt` finds it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Final, Literal, Protocol, runtime_checkable

import attrs

from energia.errors import did_you_mean

#: The modules whose names plugins may import: those that `docs/how-to/plugins.md` lists.
PUBLIC: Final = (
    "energia",
    "energia.billing.check",
    "energia.billing.renewal",
    "energia.cli.trials",
    "energia.convert.repeats",
    "energia.convert.scalars",
    "energia.costing.trials",
    "energia.db.holds",
    "energia.db.organizations",
    "energia.pricing.bands",
    "energia.pricing.cache",
    "energia.pricing.dates",
    "energia.pricing.demand",
    "energia.pricing.exact",
    "energia.pricing.holidays.lists",
    "energia.pricing.wording",
    "energia.testing",
    "energia.time",
    "energia.tracing",
    "energia.units",
    "energia.web.calls",
    "energia.web.languages",
    "energia.web.panels",
    "energia.web.patches",
)
#: The pages of the console that show panels.
Place = Literal["overview", "meter", "bill", "compare", "tariff", "service"]
#: What the console speaks; a panel has its title in each.
Language = Literal["en", "pt-BR"]
#: From here on two names are one with a slip in it: a letter of five, two of twelve.
_NEAR: Final = 0.88


@runtime_checkable
class HasTimeout(Protocol):
    """A probe, a feed or a panel that states how long it may take, each time."""

    @property
    def timeout(self) -> float:
        """Seconds, above 0."""
        ...


@runtime_checkable
class HasPeriod(Protocol):
    """A probe, a feed or a task that states how often it is asked, or done."""

    @property
    def period(self) -> float:
        """Seconds, above 0."""
        ...


@runtime_checkable
class HasExamples(Protocol):
    """A decoder or an importer that states documents, with which it is checked."""

    @property
    def examples(self) -> Sequence[Any]:
        """The bytes of files for a decoder; parsed JSON for an importer."""
        ...


@runtime_checkable
class HasSniff(Protocol):
    """A decoder that can tell whether a file is of its format."""

    def sniff(self, head: bytes, /) -> bool:
        """Tell it by the first bytes of the file."""
        ...


@runtime_checkable
class HasPresets(Protocol):
    """A decoder whose options may have names, and that states some of them itself."""

    @property
    def presets(self) -> Mapping[str, Mapping[str, Any]]:
        """Options by their names, and `about`, `operator` and `country`; by the preset's name."""
        ...


@attrs.frozen
class Optional:
    """The names that objects of one sort may have; for each there is a default.

    Attributes:
        values: Names of attributes: fields, class variables, properties.
        methods: Names of methods.

    """

    values: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


OF_CHARGES: Final = Optional(
    ("across_versions", "remeasures", "examples", "examples_after", "excused", "__rules__"),
    ("unit_prices", "price_changes", "determinants"),
)
OF_MEASURES: Final = Optional(
    ("series", "seconds", "schedule", "all_slots", "unit", "is_amount"), ("merge", "reduction")
)
#: What every charge has, besides its kind and its methods: all of it is on `BaseCharge`. Rules and
#: determinants only some have.
CHARGE: Final = (
    *("code", "description", "channel", *OF_CHARGES.values[:-1]),
    *OF_CHARGES.methods[:-1],
)
#: What every measure has: all but the first two is on `BaseMeasure`.
MEASURE: Final = ("roles", "evaluate", *OF_MEASURES.values)
OF_PROBES: Final = Optional(("timeout", "period", "measurement", "component_type"), ("active",))
OF_FEEDS: Final = Optional(("timeout", "period"))
OF_DECODERS: Final = Optional(("examples", "presets", "head"), ("sniff", "propose"))
OF_IMPORTERS: Final = Optional(("examples",))
OF_SOURCES: Final = Optional(("organization",))
OF_TASKS: Final = Optional(("retry", "period"))
OF_PANELS: Final = Optional(("timeout",))


def misspelt(subject: object, optional: Optional) -> str | None:
    """Return which name of a class or an object is one of *optional* with a slip, or None.

    What a name means is known by what it is: a field `unit_price` is not a method `unit_prices`.
    Names that begin with one underscore are the author's own.
    """
    stated = _stated(subject)
    methods = {name for name, value in stated.items() if _is_method(value)}
    sorts = ((optional.methods, methods), (optional.values, stated.keys() - methods))
    for names, own in sorts:
        for name in names:
            if name not in stated:
                for candidate in _near(name, own):
                    return f"`{candidate}` is unknown{did_you_mean(candidate, [name])}"
    return None


def _stated(subject: object) -> dict[str, object]:
    """Return what the author of a class or an object has stated: nothing that the core gives."""
    attributes: dict[str, object] = {}
    for class_ in _classes(subject):
        attributes |= dict.fromkeys(vars(class_).get("__annotations__", ()))
        attributes |= vars(class_)
    if not isinstance(subject, type):
        attributes |= getattr(subject, "__dict__", {})
    return {name: value for name, value in attributes.items() if not _is_private(name)}


def _classes(subject: object) -> Iterator[type]:
    class_ = subject if isinstance(subject, type) else type(subject)
    return (base for base in reversed(class_.__mro__) if not base.__module__.startswith("energia."))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _is_method(value: object) -> bool:
    return isinstance(value, staticmethod | classmethod) or callable(value)


def _near(meant: str, names: Iterable[str]) -> list[str]:
    """Return which of *names* has the letters of another name, or is the closest to it."""
    swapped = [name for name in names if sorted(name) == sorted(meant)]
    alike, closest = max(((_likeness(name, meant), name) for name in names), default=(0.0, ""))
    return swapped or ([closest] if alike else [])


@lru_cache(maxsize=8192)
def _likeness(name: str, meant: str) -> float:
    """Return how alike two names are, up to 1; 0 where that is less than `_NEAR`.

    Plugins state the same few names again and again, and few are about as long as another one.
    """
    if 2 * min(len(name), len(meant)) < _NEAR * (len(name) + len(meant)):
        return 0.0
    matcher = SequenceMatcher(None, name, meant)
    if matcher.quick_ratio() < _NEAR:  # which is never less than the ratio
        return 0.0
    likeness = matcher.ratio()
    return likeness if likeness >= _NEAR else 0.0


def lacking(subject: object, names: Iterable[str]) -> list[str]:
    """Return which of *names* a class or an object does not have."""
    fields = attrs.fields(subject) if isinstance(subject, type) and attrs.has(subject) else ()
    stated = {field.name for field in fields}
    return [name for name in names if name not in stated and not hasattr(subject, name)]
