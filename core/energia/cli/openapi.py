"""`energia openapi`: the document of the API."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from energia.cli.invocation import Invocation, pass_invocation

if TYPE_CHECKING:
    from energia.plugins import Plugins


@click.command("openapi", short_help="Print the OpenAPI document of the API.")
@pass_invocation
def command(invocation: Invocation) -> None:
    """Print the OpenAPI document of the API, the routes of the loaded plugins included.

    \b
    Example:
      energia openapi > openapi.json
    """
    click.echo(json.dumps(_document(invocation.plugins()), indent=2, ensure_ascii=False))


def _document(plugins: "Plugins") -> Mapping[str, object]:
    from energia.web.app import document

    return document(plugins)
