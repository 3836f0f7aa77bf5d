"""Which pull request a process shows, from what a platform tells."""

import pytest

from energia.configuration.database import PullRequest, database_name, derived
from energia.errors import Fault


def told(**environ: str) -> tuple[PullRequest | None, list[str]]:
    """Return the pull request and the faults of an environment."""
    faults: list[Fault] = []
    found = derived(environ, faults)
    return found, [fault.message for fault in faults]


@pytest.mark.parametrize(
    ("environ", "number", "origin"),
    [
        ({"PR_NUMBER": "7"}, 7, "PR_NUMBER"),
        ({"PR_NUMBER": "9999999999"}, 9_999_999_999, "PR_NUMBER"),
        ({"COOLIFY_CONTAINER_NAME": "vgwk4oc-pr-42"}, 42, "COOLIFY_CONTAINER_NAME"),
        ({"COOLIFY_BRANCH": "pull/42/head:pr-42-coolify"}, 42, "COOLIFY_BRANCH"),
        ({"COOLIFY_BRANCH": "merge-requests/8/head:pr-8-coolify"}, 8, "COOLIFY_BRANCH"),
        (
            {"COOLIFY_BRANCH": "pull/42/head", "COOLIFY_CONTAINER_NAME": "a-pr-42"},
            42,
            "COOLIFY_CONTAINER_NAME",
        ),
        ({"PR_NUMBER": "42", "COOLIFY_CONTAINER_NAME": "a-pr-42"}, 42, "PR_NUMBER"),
        ({"PR_NUMBER": "", "COOLIFY_CONTAINER_NAME": "a-pr-42"}, 42, "COOLIFY_CONTAINER_NAME"),
        # A preview of a branch whose name has a number of its own.
        ({"COOLIFY_CONTAINER_NAME": "app-pr-1-pr-10"}, 10, "COOLIFY_CONTAINER_NAME"),
    ],
)
def test_the_platform_tells_the_number(environ: dict[str, str], number: int, origin: str) -> None:
    """PR_NUMBER, then the name of the container, then that of the branch."""
    assert told(**environ) == (PullRequest(number, origin), [])


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"PR_NUMBER": ""},
        # Production on Coolify: a time in the name, a branch by its name.
        {"COOLIFY_CONTAINER_NAME": "vgwk4oc-112233445566", "COOLIFY_BRANCH": "main"},
        {"COOLIFY_BRANCH": "feature/pull/42/head"},
        {"COOLIFY_BRANCH": "pulls/42/head"},
        {"COOLIFY_CONTAINER_NAME": "app-pr-42-1122"},
    ],
)
def test_production_is_no_pull_request(environ: dict[str, str]) -> None:
    """What only looks a little like it tells nothing."""
    assert told(**environ) == (None, [])


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"PR_NUMBER": "7", "COOLIFY_BRANCH": "pull/8/head"},
            "which pull request is this? PR_NUMBER says 7, COOLIFY_BRANCH says 8",
        ),
        (
            {"COOLIFY_CONTAINER_NAME": "a-pr-1", "COOLIFY_BRANCH": "pull/10/head"},
            "which pull request is this? COOLIFY_CONTAINER_NAME says 1, COOLIFY_BRANCH says 10",
        ),
        ({"PR_NUMBER": "seven"}, "PR_NUMBER: 'seven' is not the number of a pull request"),
        ({"PR_NUMBER": "0"}, "PR_NUMBER: '0' is not the number of a pull request"),
        ({"PR_NUMBER": "07"}, "PR_NUMBER: '07' is not the number of a pull request"),
        ({"PR_NUMBER": "-7"}, "PR_NUMBER: '-7' is not the number of a pull request"),
        ({"PR_NUMBER": " 7"}, "PR_NUMBER: ' 7' is not the number of a pull request"),
        ({"PR_NUMBER": "7\n"}, r"PR_NUMBER: '7\n' is not the number of a pull request"),
        ({"PR_NUMBER": "\u0667"}, "PR_NUMBER: '\u0667' is not the number of a pull request"),
        ({"PR_NUMBER": "10000000000"}, "PR_NUMBER: '10000000000' is not the number of a pull"),
        ({"PR_NUMBER": "7;drop"}, "PR_NUMBER: '7;drop' is not the number of a pull request"),
        ({"COOLIFY_CONTAINER_NAME": "a-pr-0"}, "COOLIFY_CONTAINER_NAME: '0' is not the number"),
        # One good word does not outweigh a bad one.
        ({"PR_NUMBER": "7", "COOLIFY_BRANCH": "pull/00/head"}, "COOLIFY_BRANCH: '00' is not"),
    ],
)
def test_a_doubt_is_refused(environ: dict[str, str], message: str) -> None:
    """Two numbers, and what is none, are faults that name the variable."""
    number, faults = told(**environ)

    assert number is None
    assert len(faults) == 1
    assert faults[0].startswith(message)


def test_a_name_is_built_from_a_number_only() -> None:
    """No other text can come into the name of a database."""
    assert database_name(7) == "app_pr_7"
    for wrong in (0, -1, 10_000_000_000):
        with pytest.raises(ValueError, match="not the number"):
            database_name(wrong)
