"""Which pull request this process shows, as far as the platform tells.

Coolify has no variable with the number: it is in the name of the container and in that of the
branch. A number that no preview can have, and two that differ, are refused: a guess could end in
the database of somebody else.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from energia.errors import Fault

#: A pull request's number, as text.
NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}")
#: What the database of a preview is called, up to the number.
PREFIX: Final = "app_pr_"

#: The variables that tell it, the first one that does wins, and what of each is the number.
_SOURCES: Final = {
    "PR_NUMBER": re.compile(r"(?s)(.+)"),
    "COOLIFY_CONTAINER_NAME": re.compile(r"-pr-([0-9]+)$"),
    "COOLIFY_BRANCH": re.compile(r"^(?:pull|merge-requests)/([0-9]+)/head"),
}


@attrs.frozen
class PullRequest:
    """A pull request, and the variable that tells of it."""

    number: int
    origin: str


def database_name(number: int) -> str:
    """Return the name of the database of a pull request's preview.

    Raises:
        ValueError: There is no such number.

    """
    if not NUMBER.fullmatch(str(number)):
        raise ValueError(f"{number} is not the number of a pull request")
    return f"{PREFIX}{number}"


def derived(environ: Mapping[str, str], faults: list[Fault]) -> PullRequest | None:
    """Return the pull request that the environment tells of; what is wrong is added to *faults*."""
    told = dict(_told(environ))
    for name, text in told.items():
        if not NUMBER.fullmatch(text):
            message = f"{name}: {text!r} is not the number of a pull request"
            faults.append(Fault("not_a_pull_request", message, name))
            return None
    if len(set(told.values())) > 1:
        both = ", ".join(f"{name} says {number}" for name, number in told.items())
        message = f"which pull request is this? {both}"
        faults.append(Fault("two_pull_requests", message, next(iter(told))))
        return None
    return next((PullRequest(int(number), name) for name, number in told.items()), None)


def _told(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what each variable says; an empty one says nothing."""
    for name, pattern in _SOURCES.items():
        if match := pattern.search(environ.get(name, "")):
            yield name, match[1]
