"""What the options before the subcommand say, and what they lead to."""

import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

import attrs
import click

from energia.errors import (
    ConfigurationError,
    DatabaseAway,
    EnergiaError,
    MigrationError,
    did_you_mean,
)

if TYPE_CHECKING:
    from energia.configuration.loading import Configuration
    from energia.plugins import Plugins
    from energia.settings import Settings


T = TypeVar("T")


@attrs.frozen
class Invocation:
    """One call of the command.

    Attributes:
        profile: The profile, where the command line names it.
        files: Configuration files that the command line names.
        debug: Whether errors show where they came from.

    """

    profile: str | None = None
    files: tuple[Path, ...] = ()
    debug: bool = False

    def configuration(
        self,
        options: Mapping[str, tuple[str, object]] | None = None,
        *,
        allow_embedded: bool = False,
    ) -> "Configuration":
        """Load the configuration; *options* are values by path, each with its option's name."""
        from energia.configuration.loading import load

        return load(
            profile=self.profile, files=self.files, options=options, allow_embedded=allow_embedded
        )

    def settings(self, *, allow_embedded: bool = False) -> "Settings":
        """Load the settings."""
        return self.configuration(allow_embedded=allow_embedded).settings

    def plugins(self, hook: str | None = None) -> "Plugins":
        """Load the plugins that the configuration wants; with *hook*, those that mention it."""
        from energia.plugins import Plugins

        configuration = self.configuration(allow_embedded=True)
        with configuration.locating():
            return Plugins.installed(configuration.settings.plugins, hook)

    def name_origin(self, error: Exception) -> None:
        """Let an error that names the place of the database say which layer sets that.

        It may be another one than was thought of: a variable goes over every file.
        """
        if not isinstance(error, DatabaseAway | MigrationError):
            return
        from energia.db.address import parsed, place

        with suppress(ConfigurationError):
            configuration = self.configuration(allow_embedded=True)
            where = place(parsed(configuration.settings.database.url))
            origin = configuration.origin("database.url")
            error.detail = error.detail.replace(f"({where})", f"({where}, by {origin})")


pass_invocation = click.make_pass_decorator(Invocation)
allow_embedded = click.option(
    "--allow-embedded", is_flag=True, help="Let production run on the embedded server."
)


def format_named(formats: Mapping[str, T], name: str) -> T:
    """Return a format that plugins offer; raises `click.UsageError` with those that there are."""
    if name not in formats:
        known = ", ".join(formats) or "none"
        hint = did_you_mean(name, formats)
        raise click.UsageError(f"There is no format {name!r}{hint}; known are: {known}.")
    return formats[name]


# How the command line fails: one line, the faults, an exit code.

FAILED: Final = 1
#: Wrong usage, or a configuration that does not fit.
MISUSED: Final = 2
_SHOWN: Final = 20


class Failure(click.ClickException):
    """A command failed."""

    exit_code = FAILED

    def __init__(self, error: Exception, debug: bool) -> None:
        """State what failed; *debug* shows where."""
        super().__init__(_line(error))
        self._error = error
        self._debug = debug

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the error, its faults and, for a developer, where it came from."""
        if self._debug:
            click.echo("".join(traceback.format_exception(self._error)), file=file, err=True)
        click.echo(f"energia: {self.message}", file=file, err=True)
        faults = self._error.faults if isinstance(self._error, EnergiaError) else ()
        for fault in faults[:_SHOWN]:
            where = f"line {fault.line}" if fault.line else fault.pointer
            is_told = fault.message in self.message
            if fault.line:
                is_told = is_told and f"{where}:" in self.message
            if not is_told:
                known = where is None or where in fault.message
                click.echo(f"  {fault.message if known else f'{where}: {fault.message}'}", err=True)
        if len(faults) > _SHOWN:
            click.echo(f"  and {len(faults) - _SHOWN} more", err=True)
        for note in getattr(self._error, "__notes__", ()):
            click.echo(f"  {note}", err=True)


class Misuse(Failure):
    """The configuration does not fit."""

    exit_code = MISUSED


def failure(error: Exception, debug: bool) -> Failure:
    """Return what a command that raised *error* ends with; *debug* shows where it came from."""
    return (Misuse if isinstance(error, ConfigurationError) else Failure)(error, debug)


def _line(error: Exception) -> str:
    if isinstance(error, EnergiaError):
        return error.detail or error.title
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"unexpected {type(error).__name__}: {error} (--debug tells where)"
