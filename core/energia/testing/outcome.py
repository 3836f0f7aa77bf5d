"""The outcome of a check."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Literal, TypeVar

import attrs

T = TypeVar("T")


class Failed(AssertionError):
    """A plugin does not conform; the message says why."""


class Skipped(Exception):
    """A check has nothing to look at; the message says why."""


@attrs.frozen
class Outcome:
    """The outcome of one check.

    Attributes:
        subject: What was looked at: a kind of charge, a format, a probe.
        check: The name of the check.
        state: Whether it passed, failed or was skipped.
        detail: Why it failed or was skipped.

    """

    subject: str
    check: str
    state: Literal["passed", "failed", "skipped"]
    detail: str = ""


def counted(outcomes: Iterable[Outcome]) -> str:
    """Return how many checks had each outcome, for a person."""
    counts = Counter(outcome.state for outcome in outcomes)
    return ", ".join(f"{counts[state]} {state}" for state in ("passed", "failed", "skipped"))


def refuse_failed(subject: str, outcomes: Iterable[Outcome], without: Collection[str]) -> None:
    """Raise `Failed`, which names every check that failed, but for those that are left out."""
    failed = [one for one in outcomes if one.state == "failed" and one.check not in without]
    if failed:
        lines = "\n".join(f"  {one.check}: {one.detail}" for one in failed)
        raise Failed(f"{subject} does not conform:\n{lines}")


def outcome_of(subject: str, check: Callable[[T], None], offer: T) -> Outcome:
    """Run a check, and return its outcome."""
    name = check.__name__.strip("_")
    try:
        check(offer)
    except Skipped as reason:
        return Outcome(subject, name, "skipped", str(reason))
    except (Exception, SystemExit) as error:
        detail = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
        return Outcome(subject, name, "failed", detail)
    return Outcome(subject, name, "passed")
