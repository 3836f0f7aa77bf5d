"""Holds a bill beside what a supplier printed."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

import attrs
from msgspec import Meta

from energia.billing.models import Bill
from energia.costing.groups import by_code
from energia.pricing.engine import CostLine
from energia.pricing.exact import exact_text, fixed, rounded

#: From the best to the worst.
_RESULTS = ("match", "within_tolerance", "unknown", "mismatch")
Result = Literal["match", "within_tolerance", "mismatch", "unknown"]
Tolerance = Annotated[Decimal, Meta(ge=0)]


@attrs.frozen(kw_only=True)
class SupplierLine:
    """A line that a supplier printed.

    Attributes:
        code: The code of our line, where it is known.
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
    """A line of ours beside lines of theirs; `unknown` where one side has none.

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


def check(bill: Bill, supplier: SupplierBill) -> BillCheck:
    """Return how *bill* compares with what the supplier printed."""
    total = _amounts(Fraction(bill.total), Fraction(supplier.total), supplier.tolerance)
    told_apart = {line.code for line in supplier.lines if line.version is not None}
    ours = list(_ours(bill.lines, told_apart))
    theirs: dict[int | None, list[SupplierLine]] = {}
    for line in supplier.lines:
        theirs.setdefault(_match(line, ours), []).append(line)
    lines = [
        _line(line, theirs.get(index, ()), supplier.tolerance) for index, line in enumerate(ours)
    ]
    lines += [_stranger(line) for line in theirs.get(None, ())]
    added = sum((Fraction(line.amount) for line in supplier.lines), Fraction(0))
    return BillCheck(
        result=_worst([total.result, *(line.result for line in lines)]),
        total=total,
        lines=tuple(lines),
        supplier_sum=exact_text(added),
        adds_up=added == supplier.total,
    )


def _ours(lines: Sequence[CostLine], told_apart: Collection[str | None]) -> Iterator[CostLine]:
    """Yield our lines; those of one code, of several versions, added up unless *told_apart*."""
    for code in dict.fromkeys(line.code for line in lines):
        same = [line for line in lines if line.code == code]
        yield from same if code in told_apart else by_code(same)


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


def _line(ours: CostLine, theirs: Sequence[SupplierLine], tolerance: Decimal) -> CheckedLine:
    if not theirs:
        absent = CheckedAmount(result="unknown", billed=ours.amount)
        return CheckedLine(
            code=ours.code,
            version=ours.version,
            description=ours.description,
            result="unknown",
            amount=absent,
        )
    added = sum((Fraction(line.amount) for line in theirs), Fraction(0))
    amount = _amounts(Fraction(ours.amount), added, tolerance)
    quantity = _quantities(ours, theirs)
    results = [amount.result, *([quantity.result] if quantity else [])]
    return CheckedLine(
        code=ours.code,
        version=ours.version,
        description=ours.description,
        result=_worst(results),
        amount=amount,
        quantity=quantity,
    )


def _quantities(ours: CostLine, theirs: Sequence[SupplierLine]) -> CheckedAmount | None:
    """Compare the quantities, as far as all are printed, to the decimals that are."""
    printed = [line.quantity for line in theirs if line.quantity is not None]
    if len(printed) < len(theirs) or ours.quantity is None:
        return None
    decimals = max(max(0, -int(number.as_tuple().exponent)) for number in printed)
    scaled = rounded(Fraction(ours.quantity), decimals, "half_up")
    added = sum((Fraction(number) for number in printed), Fraction(0))
    quantity = _amounts(Fraction(scaled, 10**decimals), added, Decimal(0))
    return attrs.evolve(quantity, billed=fixed(scaled, decimals))


def _stranger(line: SupplierLine) -> CheckedLine:
    amount = CheckedAmount(result="unknown", supplier=exact_text(Fraction(line.amount)))
    return CheckedLine(
        code=line.code,
        version=line.version,
        description=line.description,
        result="unknown",
        amount=amount,
    )


def _amounts(ours: Fraction, theirs: Fraction, tolerance: Decimal) -> CheckedAmount:
    difference = theirs - ours
    result: Result = "mismatch"
    if not difference:
        result = "match"
    elif abs(difference) <= Fraction(tolerance):
        result = "within_tolerance"
    return CheckedAmount(
        result=result,
        billed=exact_text(ours),
        supplier=exact_text(theirs),
        difference=exact_text(difference),
    )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _worst(results: Iterable[Result]) -> Result:
    return max(results, key=_RESULTS.index)
