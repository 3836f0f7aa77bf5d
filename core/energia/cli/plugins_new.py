"""`energia plugins new`: the first files of a plugin."""

from pathlib import Path

import click


@click.command("new", short_help="Write a plugin that works, to begin with.")
@click.argument("name")
@click.option(
    "--directory",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Where it is written; by default a folder of its name. It must not exist.",
)
def new(name: str, directory: Path | None) -> None:
    """Write a distribution with a kind of charge, tested and typed, to change into yours.

    NAME says who makes it and what it is, such as acme-levy: the distribution acme-levy, the
    package acme_levy, the kind acme.levy.

    \b
    Examples:
      energia plugins new acme-levy
      energia plugins new acme-levy --directory plugins/levy
    """
    from energia.testing.scaffold import written

    folder = directory or Path(name)
    for path in written(name, folder):
        click.echo(path)
    click.echo(f"\nNext:\n  cd {folder}\n  pip install --editable '.[test]'")
    click.echo(f"  pytest\n  energia plugins check {name}")
