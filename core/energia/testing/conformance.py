"""Runs the checks of conformance over kinds of charge."""

import traceback
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from energia.contract import CHARGE, MEASURE, lacking
from energia.errors import EnergiaError, Invalid
from energia.pricing.charges import Charge, measures_of
from energia.testing.case import Case, refusal
from energia.testing.checks import CHECKS, Check
from energia.testing.outcome import Failed, Outcome, Skipped, refuse_failed
from energia.testing.pricing import Pricing

_CORE: Final = str(Path(__file__).parents[1])


def cases(class_: type[Charge], pricing: Pricing) -> Iterator[Case]:
    """Yield a case for each example of a kind.

    Raises:
        Failed: An example cannot be priced, or there is none.

    """
    if missing := lacking(class_, CHARGE):
        name = class_.__name__
        raise Failed(f"the charge has no `{missing[0]}`: derive {name} from BaseCharge")
    for number, document in enumerate(class_.examples, start=1):
        if document.get("kind") != class_.kind:
            raise Failed(f"example {number} is not of the kind {class_.kind}")
        try:
            _refuse_unfit_measures(pricing.charge(document))
            yield Case.of(class_, document, pricing)
        except Invalid as error:
            raise Failed(f"example {number} is refused: {refusal(error)}") from None
    if not class_.examples:
        yield _made(class_, pricing)


def _refuse_unfit_measures(charge: Charge) -> None:
    """Refuse measures that lack what the core asks: pricing would end in an AttributeError."""
    for name, measure in measures_of(charge).items():
        if missing := lacking(measure, MEASURE):
            raise Failed(
                f"the measure {name!r} has no `{missing[0]}`: derive {type(measure).__name__} "
                "from BaseMeasure"
            )


def _made(class_: type[Charge], pricing: Pricing) -> Case:
    """Return a case that hypothesis finds."""
    advice = f"state one: {class_.__name__}.examples = ({{'kind': {class_.kind!r}, ...}},)"
    if find_spec("hypothesis") is None:
        raise Failed(f"the kind has no example; {advice}")
    from energia.testing.strategies import found

    document = found(class_, pricing)
    if document is None:
        raise Failed(f"the kind has no example, and none was found from its types; {advice}")
    return Case.of(class_, document, pricing)


def check_charge(class_: type[Charge], *, without: Sequence[str] = ()) -> None:
    """Assert that a kind of charge conforms.

    Args:
        class_: The class of the charge; its plugin need not be installed.
        without: Names of checks that are left out, such as `speed`.

    Raises:
        Failed: An AssertionError that names every check that failed.

    """
    refuse_failed(class_.kind, outcomes(class_, without=without), without)


def outcomes(
    class_: type[Charge], pricing: Pricing | None = None, *, without: Sequence[str] = ()
) -> Iterator[Outcome]:
    """Yield the outcome of each check of a kind of charge.

    Args:
        class_: The class of the charge.
        pricing: Knows the kind, and those of charges that its examples come after.
        without: Names of checks that are left out.

    """
    outcome = partial(Outcome, class_.kind)
    try:
        examples = list(cases(class_, pricing or Pricing.of(class_)))
    except (Exception, SystemExit) as error:
        yield outcome("example", "failed", _told(error))
        return
    yield outcome("example", "passed")
    excused = class_.excused
    for check in CHECKS:
        name = check.__name__
        if name in excused:
            yield outcome(name, "skipped", f"excused: {excused[name]}")
        elif name not in without:
            yield _outcome(class_.kind, check, examples)


def _outcome(kind: str, check: Check, examples: Sequence[Case]) -> Outcome:
    """Return the outcome of a check over all examples: it fails with the first that does."""
    skipped = []
    for number, case in enumerate(examples, start=1):
        of = f"example {number}: " if len(examples) > 1 else ""
        try:
            check(case)
        except Skipped as reason:
            skipped.append(str(reason))
        except (Exception, SystemExit) as error:
            return Outcome(kind, check.__name__, "failed", of + _told(error))
    if len(skipped) == len(examples):
        return Outcome(kind, check.__name__, "skipped", skipped[0])
    return Outcome(kind, check.__name__, "passed")


def _told(error: BaseException) -> str:
    if isinstance(error, Failed):
        return str(error)
    return f"{type(error).__name__}: {error}{_place(error)}"


def _place(error: BaseException) -> str:
    """Return which line of the plugin an unexpected error comes from, if there is one."""
    if isinstance(error, EnergiaError):
        return ""
    frames = traceback.extract_tb((error.__cause__ or error).__traceback__)
    # Where a kind has no example, hypothesis looks for one, and so is among those that call.
    theirs = [
        frame
        for frame in frames
        if not frame.filename.startswith(_CORE) and "hypothesis" not in Path(frame.filename).parts
    ]
    return f" ({Path(theirs[-1].filename).name}, line {theirs[-1].lineno})" if theirs else ""
