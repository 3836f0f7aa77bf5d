"""What the options before the subcommand say, and what they lead to."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

if TYPE_CHECKING:
    from energia.configuration.loading import Configuration
    from energia.plugins import Plugins
    from energia.settings import Settings


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

        return Plugins.installed(self.configuration(allow_embedded=True).settings.plugins, hook)


pass_invocation = click.make_pass_decorator(Invocation)
allow_embedded = click.option(
    "--allow-embedded", is_flag=True, help="Let production run on the embedded server."
)
