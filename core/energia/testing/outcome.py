"""What became of a check."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import attrs


class Failed(AssertionError):
    """A plugin does not conform; the message says why."""


class Skipped(Exception):
    """A check has nothing to look at; the message says why."""


@attrs.frozen
class Outcome:
    """What became of one check.

    Attributes:
        subject: What was looked at: a kind of charge, a format, a probe.
        check: The name of the check.
        state: What became of it.
        detail: Why it failed or was skipped.

    """

    subject: str
    check: str
    state: Literal["passed", "failed", "skipped"]
    detail: str = ""


def counted(found: Iterable[Outcome]) -> str:
    """Return how many checks ended how, for a person."""
    counts = Counter(one.state for one in found)
    return ", ".join(f"{counts[state]} {state}" for state in ("passed", "failed", "skipped"))
