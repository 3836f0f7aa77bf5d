"""Runs the checks of conformance over kinds of charge."""

from collections.abc import Iterator, Sequence
from functools import partial

from energia.pricing.charges import Charge
from energia.testing.case import Case
from energia.testing.checks import CHECKS, Check
from energia.testing.examples import cases
from energia.testing.outcome import Failed, Outcome, Skipped
from energia.testing.pricing import Pricing


def check_charge(class_: type[Charge], *, without: Sequence[str] = ()) -> None:
    """Assert that a kind of charge conforms.

    Args:
        class_: The class of the charge; its plugin need not be installed.
        without: Names of checks that are left out, such as `speed`.

    Raises:
        Failed: An AssertionError that names every check that failed.

    """
    failed = [one for one in outcomes(class_, without=without) if one.state == "failed"]
    if failed:
        lines = "\n".join(f"  {one.check}: {one.detail}" for one in failed)
        raise Failed(f"{class_.kind} does not conform:\n{lines}")


def outcomes(
    class_: type[Charge], pricing: Pricing | None = None, *, without: Sequence[str] = ()
) -> Iterator[Outcome]:
    """Yield what became of each check of a kind of charge.

    Args:
        class_: The class of the charge.
        pricing: Knows the kind, and those of charges that its examples come after.
        without: Names of checks that are left out.

    """
    outcome = partial(Outcome, class_.kind)
    try:
        found = list(cases(class_, pricing or Pricing.of(class_)))
    except Exception as error:
        yield outcome("example", "failed", _told(error))
        return
    yield outcome("example", "passed")
    excused = getattr(class_, "excused", {})
    for check in CHECKS:
        name = check.__name__
        if name in excused:
            yield outcome(name, "skipped", f"excused: {excused[name]}")
        elif name not in without:
            yield _outcome(class_.kind, check, found)


def _outcome(kind: str, check: Check, found: Sequence[Case]) -> Outcome:
    """Return what became of a check over all examples: it fails with the first that does."""
    skipped = []
    for number, case in enumerate(found, start=1):
        of = f"example {number}: " if len(found) > 1 else ""
        try:
            check(case)
        except Skipped as reason:
            skipped.append(str(reason))
        except Exception as error:
            return Outcome(kind, check.__name__, "failed", of + _told(error))
    if len(skipped) == len(found):
        return Outcome(kind, check.__name__, "skipped", skipped[0])
    return Outcome(kind, check.__name__, "passed")


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
