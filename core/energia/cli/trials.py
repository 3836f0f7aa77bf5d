"""Usage priced under tariffs that nobody stored, on the command line of a plugin."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from energia.cli.invocation import Invocation

if TYPE_CHECKING:
    from energia.costing.trials import Subject, Trial

__all__ = ["trial_of_command"]


async def trial_of_command(
    subject: "Subject", documents: "Mapping[str, Mapping[str, Any]]"
) -> "Trial":
    """Return what *subject* costs under each of some tariffs, for the command that runs.

    Only a stored meter needs the database; it is that of the command's configuration.

    Args:
        subject: The usage, its window and its bill periods (`group`).
        documents: Tariffs, as JSON has them, by names of one's own.

    Raises:
        Invalid: A document, the window or the usage does not fit; or as the tariffs' charges say.
        IncompleteUsage: Readings are missing.
        MigrationError: The database is not up to date.

    """
    from energia.cli.database import opened
    from energia.costing.trials import trial_within
    from energia.pricing.tariffs import tariff_converter

    invocation = click.get_current_context().find_object(Invocation) or Invocation()
    settings = invocation.settings(allow_embedded=True)
    converter = tariff_converter(invocation.plugins().charges())
    if subject.meter is None:
        return await trial_within(subject, documents, None, converter, settings.limits)
    async with opened(settings.database) as tenant:
        return await trial_within(subject, documents, tenant, converter, settings.limits)
