"""Holds a bill beside what a supplier printed."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Protocol

import attrs
from msgspec import Meta

from energia.codes import minor_digits
from energia.costing.groups import by_code
from energia.pricing.engine import CostLine
from energia.pricing.exact import exact_text, fixed, rounded
from energia.pricing.rounding import ROUNDING

__all__ = [
    "BillCheck",
    "CheckedAmount",
    "CheckedLine",
    "Result",
    "SupplierBill",
    "SupplierLine",
    "check",
]

#: From the best to the worst.
_RESULTS = ("match", "within_tolerance", "unknown", "mismatch")
Result = Literal["match", "within_tolerance", "mismatch", "unknown"]
Tolerance = Annotated[Decimal, Meta(ge=0)]


class Priced(Protocol):
    """What is held beside a supplier's bill: a bill of ours, or a cost."""

    @property
    def currency(self) -> str:
        """ISO 4217."""

    @property
    def total(self) -> str:
        """The sum of the lines' amounts."""

    @property
    def lines(self) -> Sequence[CostLine]:
        """What the charges charge."""


@attrs.frozen(kw_only=True)
class SupplierLine:
    """A line that a supplier printed.

    Attributes:
        code: The code of our line, where it is known; the code of a charge alone is that of all its
            lines, such as those of several periods.
        version: Which of our lines of this code, where several versions of a tariff charge it;
            without, they are added up.
        description: What is printed; without a code, that of our line.
        quantity: How much.
        amount: In the bill's currency.

    """

    code: Annotated[str, Meta(max_length=200)] | None = None
    version: date | None = None
    description: Annotated[str, Meta(max_length=500)]
    quantity: Decimal | None = None
    amount: Decimal


@attrs.frozen(kw_only=True)
class SupplierBill:
    """What a supplier printed.

    Attributes:
        lines: Its lines; several of one code are added up.
        total: What is to be paid.
        tolerance: By how much an amount may differ.

    """

    lines: Annotated[tuple[SupplierLine, ...], Meta(max_length=1000)] = ()
    total: Decimal
    tolerance: Tolerance = Decimal(0)


@attrs.frozen(kw_only=True)
class CheckedAmount:
    """An amount of ours beside one of theirs.

    Attributes:
        result: How they compare.
        billed: Ours.
        supplier: Theirs.
        difference: Theirs less ours.

    """

    result: Result
    billed: str | None = None
    supplier: str | None = None
    difference: str | None = None


@attrs.frozen(kw_only=True)
class CheckedLine:
    """A line of ours beside lines of theirs; `unknown` where one side has none of an amount.

    Attributes:
        code: The code of our line.
        version: The version of the tariff that charges it, where several do and are told apart.
        description: Ours, or theirs where we have none.
        result: How they compare.
        amount: The amounts.
        quantity: The quantities, ours rounded to the decimals that they print.

    """

    code: str | None = None
    version: date | None = None
    description: str
    result: Result
    amount: CheckedAmount
    quantity: CheckedAmount | None = None


@attrs.frozen(kw_only=True)
class BillCheck:
    """How a bill compares with a supplier's.

    Attributes:
        result: The worst of all: `mismatch`, `unknown`, `within_tolerance`, `match`.
        total: The totals.
        lines: Our lines in their order, then those that only the supplier has.
        supplier_sum: The sum of the supplier's lines.
        adds_up: Whether that is the supplier's total.

    """

    result: Result
    total: CheckedAmount
    lines: tuple[CheckedLine, ...]
    supplier_sum: str
    adds_up: bool


def check(bill: Priced, supplier: SupplierBill) -> BillCheck:
    """Return how *bill* compares with what the supplier printed."""
    scale = _Scale.of(bill, supplier)
    total = scale.compare(scale.paid(bill.total), Fraction(supplier.total))
    ours = list(_ours(bill.lines, supplier.lines))
    theirs: dict[int | None, list[SupplierLine]] = {}
    for line in supplier.lines:
        theirs.setdefault(_match(line, ours), []).append(line)
    lines = [_line(line, theirs.get(index, ()), scale, total) for index, line in enumerate(ours)]
    lines += [_stranger(line, scale) for line in theirs.get(None, ())]
    added = sum((Fraction(line.amount) for line in supplier.lines), Fraction(0))
    return BillCheck(
        result=_worst([total.result, *(line.result for line in lines)]),
        total=total,
        lines=tuple(lines),
        supplier_sum=scale.text(added),
        adds_up=added == supplier.total,
    )


@attrs.frozen
class _Scale:
    """How amounts are compared and written: as the bill and the supplier print them.

    Attributes:
        decimals: As many as either has.
        tolerance: By how much an amount may differ.

    """

    decimals: int
    tolerance: Decimal

    @classmethod
    def of(cls, bill: Priced, supplier: SupplierBill) -> "_Scale":
        printed = [supplier.total, *(line.amount for line in supplier.lines)]
        decimals = [minor_digits(bill.currency), *map(_places, printed)]
        texts = [bill.total, *(line.amount for line in bill.lines)]
        decimals += [len(text.partition(".")[2]) for text in texts if "/" not in text]
        return cls(max(decimals), supplier.tolerance)

    def paid(self, amount: str) -> Fraction:
        """Return an amount of ours; bills of earlier releases may have some that do not end."""
        exact = Fraction(amount)
        return exact if "/" not in amount else self._rounded(exact)

    def _rounded(self, exact: Fraction) -> Fraction:
        return Fraction(rounded(exact, self.decimals, "half_up"), 10**self.decimals)

    def text(self, amount: Fraction) -> str:
        """Return an amount as money is written."""
        return fixed(rounded(amount, self.decimals, "half_up"), self.decimals)

    def compare(self, ours: Fraction, theirs: Fraction) -> CheckedAmount:
        """Return an amount of ours beside theirs."""
        result = _result(theirs - ours, self.tolerance)
        texts = (self.text(ours), self.text(theirs), self.text(theirs - ours))
        return CheckedAmount(result=result, billed=texts[0], supplier=texts[1], difference=texts[2])


def _places(number: Decimal) -> int:
    return max(0, -int(number.as_tuple().exponent))


def _ours(lines: Sequence[CostLine], theirs: Sequence[SupplierLine]) -> Iterator[CostLine]:
    """Yield our lines as the supplier prints them.

    Those of one code, of several versions, are added up unless theirs are told apart. So are those
    of one charge where the supplier prints its code alone: `energy` for `energy.peak` and
    `energy.off`, which are not printed themselves.
    """
    told_apart = {line.code for line in theirs if line.version is not None}
    printed = {line.code: line.description for line in theirs if line.code is not None}
    whole = printed.keys() - {line.code for line in lines}
    named = [_in_whole(line, whole, printed) for line in lines]
    for code in dict.fromkeys(line.code for line in named):
        same = [line for line in named if line.code == code]
        yield from same if code in told_apart else by_code(same)


def _in_whole(line: CostLine, whole: Collection[str], printed: Mapping[str, str]) -> CostLine:
    """Return a line under the code of the charge that is printed in its place, if one is."""
    parts = line.code.split(".")
    codes = [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
    code = next((code for code in codes if code in whole), None)
    if code is None or line.code in printed:
        return line
    return attrs.evolve(line, code=code, description=printed[code])


def _match(line: SupplierLine, ours: Sequence[CostLine]) -> int | None:
    """Return which of our lines is meant: by its code, else by the only one so described."""
    if line.code is not None:
        matches = [
            index
            for index, our in enumerate(ours)
            if our.code == line.code and line.version in (None, our.version)
        ]
    else:
        printed = _folded(line.description)
        matches = [index for index, our in enumerate(ours) if _folded(our.description) == printed]
    return matches[0] if len(matches) == 1 else None


def _line(
    ours: CostLine, theirs: Sequence[SupplierLine], scale: _Scale, total: CheckedAmount
) -> CheckedLine:
    billed = scale.paid(ours.amount)
    if not theirs:
        amount = CheckedAmount(result=_alone(ours, total), billed=scale.text(billed))
        quantity = None
    else:
        added = sum((Fraction(line.amount) for line in theirs), Fraction(0))
        amount, quantity = scale.compare(billed, added), _quantities(ours, theirs)
    results = [amount.result, *([quantity.result] if quantity else [])]
    return CheckedLine(
        code=ours.code,
        version=ours.version,
        description=ours.description,
        result=_worst(results),
        amount=amount,
        quantity=quantity,
    )


def _alone(ours: CostLine, total: CheckedAmount) -> Result:
    """Return how a line of ours compares that the supplier does not print.

    What is of no amount, as information is, needs no twin. What only makes up for rounding is in
    the total, and compares as that does.
    """
    if not Fraction(ours.amount):
        return "match"
    return total.result if ours.code.partition(".")[0] == ROUNDING else "unknown"


def _quantities(ours: CostLine, theirs: Sequence[SupplierLine]) -> CheckedAmount | None:
    """Compare the quantities, as far as all are printed, to the decimals that are."""
    printed = [line.quantity for line in theirs if line.quantity is not None]
    if len(printed) < len(theirs) or ours.quantity is None:
        return None
    decimals = max(map(_places, printed))
    scaled = rounded(Fraction(ours.quantity_exact or ours.quantity), decimals, "half_up")
    added = sum((Fraction(number) for number in printed), Fraction(0))
    difference = added - Fraction(scaled, 10**decimals)
    return CheckedAmount(
        result=_result(difference, Decimal(0)),
        billed=fixed(scaled, decimals),
        supplier=exact_text(added),
        difference=exact_text(difference),
    )


def _stranger(line: SupplierLine, scale: _Scale) -> CheckedLine:
    result: Result = "unknown" if line.amount else "match"
    amount = CheckedAmount(result=result, supplier=scale.text(Fraction(line.amount)))
    return CheckedLine(
        code=line.code,
        version=line.version,
        description=line.description,
        result=result,
        amount=amount,
    )


def _result(difference: Fraction, tolerance: Decimal) -> Result:
    if not difference:
        return "match"
    return "within_tolerance" if abs(difference) <= Fraction(tolerance) else "mismatch"


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _worst(results: Iterable[Result]) -> Result:
    return max(results, key=_RESULTS.index)
