"""What taxes make of a price: gross-ups and additions, and what each tax then is of it."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, TypeAlias

import attrs

from energia_plugins.tariff_tax.taxes import Rated

#: How taxes come to a price. Inside it: what each group takes is a part of what the groups before
#: leave of the gross price, or all taxes are parts of the gross price. On top of it: all taxes are
#: on the net price, or each group is also on the groups before.
Form: TypeAlias = Literal["inside_product", "inside_sum", "add_on", "add_on_compound"]


@attrs.frozen
class Due:
    """A tax with its rate on a bill.

    Attributes:
        name: The name of the tax.
        group: Taxes of one group have the same base.
        rated: The rate.

    """

    name: str
    group: str
    rated: Rated


@attrs.frozen
class Part:
    """What a tax is on.

    Attributes:
        due: The tax.
        base: How many times the net price its base is.

    """

    due: Due
    base: Fraction


@attrs.frozen
class Burden:
    """What taxes make of a net price.

    Attributes:
        factor: How many times the net price the gross price is.
        text: The arithmetic that leads from one to the other.
        parts: What each tax is on.

    """

    factor: Fraction
    text: str
    parts: tuple[Part, ...]


def burden(form: Form, dues: Sequence[Due]) -> Burden:
    """Return what taxes make of a net price; inside it their rates together are less than one."""
    groups: dict[str, list[Due]] = {}
    for due in dues:
        together = form in ("inside_sum", "add_on")
        groups.setdefault("" if together else due.group, []).append(due)
    inside = form.startswith("inside")
    return _inside(list(groups.values())) if inside else _on_top(list(groups.values()))


def _inside(groups: list[list[Due]]) -> Burden:
    rests = [1 - _rates(group) for group in groups]
    gross = base = 1 / _product(rests)
    parts = list[Part]()
    for group, rest in zip(groups, rests, strict=True):
        parts += [Part(due, base) for due in group]
        base *= rest
    terms = " x ".join(f"(1 - {' - '.join(due.rated.text for due in group)})" for group in groups)
    return Burden(gross, f"/ ({terms})" if len(groups) > 1 else f"/ {terms or 1}", tuple(parts))


def _on_top(groups: list[list[Due]]) -> Burden:
    parts, base = list[Part](), Fraction(1)
    for group in groups:
        parts += [Part(due, base) for due in group]
        base *= 1 + _rates(group)
    terms = " x ".join(f"(1 + {' + '.join(due.rated.text for due in group)})" for group in groups)
    return Burden(base, f"x {terms or 1}", tuple(parts))


def _rates(group: list[Due]) -> Fraction:
    return sum((due.rated.value for due in group), Fraction(0))


def _product(factors: list[Fraction]) -> Fraction:
    found = Fraction(1)
    for factor in factors:
        found *= factor
    return found
