"""What became of the cases of a source."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

import attrs

#: A number that is compared, by what it is.
Values: TypeAlias = Mapping[str, Sequence[object]]
#: Relative; what others compute in doubles is no nearer. Near zero it is absolute, in cents.
TOLERANCE = Fraction(1, 10**6)

Kind = Literal["exact", "equal", "differs", "refused"]


@attrs.frozen
class Outcome:
    """What became of one case.

    Attributes:
        case: Its name.
        kind: `exact` to the last digit, `equal` within the tolerance, `differs` or `refused`.
        detail: Where it differs, or why it is refused.

    """

    case: str
    kind: Kind
    detail: str = ""


@attrs.frozen
class Source:
    """A source and its cases.

    Attributes:
        name: Of whom.
        about: What is compared.
        outcomes: One for each case.
        known: Why cases differ or are refused that are expected to, by name.

    """

    name: str
    about: str
    outcomes: Sequence[Outcome]
    known: Mapping[str, str] = attrs.Factory(dict)

    def count(self, *kinds: Kind) -> int:
        """Return how many cases ended so."""
        return sum(one.kind in kinds for one in self.outcomes)

    def failures(self) -> list[Outcome]:
        """Return the cases that differ or are refused and should not, or the other way round."""
        bad = [one for one in self.outcomes if one.kind in ("differs", "refused")]
        wrong = [one for one in bad if one.case not in self.known]
        names = {one.case for one in bad}
        return wrong + [
            Outcome(case, "equal", "is said to differ, and does not")
            for case in self.known
            if case not in names
        ]


def compared(case: str, found: Values, expected: Values, *, exact: bool = False) -> Outcome:
    """Compare all values of *expected* with those that were *found*."""
    same = True
    for name, values in expected.items():
        for at, (ours, theirs) in enumerate(zip(found[name], values, strict=True)):
            a, b = _fraction(ours), _fraction(theirs)
            if a == b:
                continue
            same = False
            if exact or abs(a - b) > TOLERANCE * max(abs(b), Fraction(1)):
                where = f"{name} {at + 1}" if len(values) > 1 else name
                return Outcome(case, "differs", f"{where}: {float(a):.6f}, not {float(b):.6f}")
    return Outcome(case, "exact" if same else "equal")


def _fraction(value: object) -> Fraction:
    if isinstance(value, float):
        return Fraction(repr(value))
    if isinstance(value, int | str | Decimal | Fraction):
        return Fraction(value)
    raise TypeError(f"{value!r} is no number")


def total(values: Iterable[str]) -> Fraction:
    """Return the sum of exact amounts."""
    return sum((Fraction(value) for value in values), Fraction(0))
