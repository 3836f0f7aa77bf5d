"""Which database this process may use: a preview its own, production anything but a preview's.

All of it is decided by the URL, before anything connects, and by libpq's own parser: a name may be
in the path, in a parameter, or in both, and the last one counts. No message has a part of the URL:
there may be a password in it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

import attrs

from energia.configuration.layers import DEFAULT
from energia.errors import ConfigurationError, Fault
from energia.settings import Settings

PATH: Final = "database.url"
EMBEDDED: Final = "embedded:"
#: A pull request's number, as text.
NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}")
#: What the database of a preview is called, up to the number.
PREFIX: Final = "app_pr_"
#: The variables that name it, in order of preference, and what of each is the number.
_SOURCES: Final = {
    "PR_NUMBER": re.compile(r"(?s)(.+)"),
    "COOLIFY_CONTAINER_NAME": re.compile(r"-pr-([0-9]+)$"),
    "COOLIFY_BRANCH": re.compile(r"^(?:pull|merge-requests)/([0-9]+)/head"),
}
#: Stands for the number of a pull request: `${PR_NUMBER}` or `$PR_NUMBER`, in a URL also encoded.
_PLACE: Final = re.compile(
    r"(?:\$|%24)(?:(?:\{|%7[Bb])PR_NUMBER(?:\}|%7[Dd])|PR_NUMBER(?![A-Za-z0-9_]))"
)
#: Whatever looks like it; left as it is, it would name a database of its own.
_LIKE_PLACE: Final = re.compile(r"(\$|%24)(\{|%7B)?PR_NUMBER", re.IGNORECASE)


# Which pull request the environment names.


@attrs.frozen
class PullRequest:
    """A pull request, and the variable that names it."""

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
    """Return the pull request that the environment names; what is wrong is added to *faults*."""
    numbers = dict(_numbers(environ))
    for name, text in numbers.items():
        if not NUMBER.fullmatch(text):
            message = f"{name}: {text!r} is not the number of a pull request"
            faults.append(Fault("not_a_pull_request", message, name))
            return None
    if len(set(numbers.values())) > 1:
        both = ", ".join(f"{name} says {number}" for name, number in numbers.items())
        message = f"which pull request is this? {both}"
        faults.append(Fault("two_pull_requests", message, next(iter(numbers))))
        return None
    return next((PullRequest(int(number), name) for name, number in numbers.items()), None)


def _numbers(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what each variable says; an empty one says nothing."""
    for name, pattern in _SOURCES.items():
        if match := pattern.search(environ.get(name, "")):
            yield name, match[1]


# Which database the settings name, and whether it is the right one.


def completed(settings: Settings) -> Settings:
    """Return the settings of a preview with the number of its pull request in the database's URL.

    A database called `app_pr_` is one whose number a platform has replaced by nothing.
    """
    if settings.profile != "preview" or settings.pull_request is None:
        return settings
    url = _PLACE.sub(str(settings.pull_request), settings.database.url)
    with suppress(ConfigurationError):  # what is not a URL is refused later
        if not url.startswith(EMBEDDED) and _name(url) == PREFIX:
            url = _renamed(url, database_name(settings.pull_request))
    return attrs.evolve(settings, database=attrs.evolve(settings.database, url=url))


def broken_rules(settings: Settings, origin: str, allow_embedded: bool) -> Iterator[Fault]:
    """Yield what speaks against the database of completed *settings*; *origin* is its URL's."""
    url = settings.database.url
    if _LIKE_PLACE.search(url):
        yield _fault("not_supported", "${PR_NUMBER} is replaced in a preview only, and only as is")
    elif not url.strip():
        message = f"{PATH} is empty; it names a database: postgresql://..."
        yield Fault("no_database", message, PATH)
    elif settings.profile == "development":
        if not url.startswith(EMBEDDED):
            yield from _of_url(url)
    elif origin == DEFAULT and not allow_embedded:
        yield _fault("no_database", f"{_subject(settings)} needs DATABASE_URL")
    elif url.startswith(EMBEDDED):
        if not allow_embedded:
            message = "does not run on the embedded server without --allow-embedded"
            yield _fault("embedded_database", f"{_subject(settings)} {message}")
    else:
        yield from _of_name(settings, url)


def _of_name(settings: Settings, url: str) -> Iterator[Fault]:
    """Yield what is wrong with the database's name; one of a service or PGDATABASE does not count.

    The URL is the one place that is looked at; what it leaves open would be decided elsewhere.
    """
    if faults := list(_of_url(url)):
        yield from faults
        return
    name = _name(url)
    if not name:
        yield _fault("no_name", f"{_subject(settings)} needs a URL that names the database")
    elif settings.profile == "production" and name.lower().startswith(PREFIX):
        yield _fault("preview_database", f"production does not use a database {PREFIX}*")
    elif settings.profile == "preview" and not _is_own(settings, name):
        message = f"pull request {settings.pull_request} uses a database {PREFIX}"
        yield _fault("not_its_database", f"{message}{settings.pull_request}, and no other one")


def _of_url(url: str) -> Iterator[Fault]:
    """Yield what is wrong with a URL, wherever it leads."""
    try:
        _name(url)
    except ConfigurationError as error:
        yield Fault("not_a_url", error.detail, PATH)


def _is_own(settings: Settings, name: str) -> bool:
    number = settings.pull_request
    return number is not None and name == database_name(number)


def _name(url: str) -> str | None:
    from energia.db.address import parsed  # loads the driver: only where there is a URL

    return parsed(url).get("dbname")


def _renamed(url: str, name: str) -> str:
    from energia.db.address import renamed

    return renamed(url, name)


def _subject(settings: Settings) -> str:
    return "a preview" if settings.profile == "preview" else "production"


def _fault(code: str, message: str) -> Fault:
    return Fault(code, f"{PATH}: {message}", PATH)
