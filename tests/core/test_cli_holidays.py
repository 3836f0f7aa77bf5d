"""`energia holidays`: the holidays of countries as documents of the API."""

import json

from click.testing import CliRunner

from energia.cli.main import energia
from energia.convert import structure
from energia.pricing.holidays.lists import HolidayList


def test_the_holidays_of_a_country_are_printed() -> None:
    """As a document that can be sent as it is."""
    done = CliRunner().invoke(
        energia, ["holidays", "expand", "BR", "--from", "2026", "--to", "2026", "--name", "br"]
    )

    assert done.exit_code == 0
    found = structure(json.loads(done.output), HolidayList)
    assert (found.id, len(found.dates)) == ("br", 12)


def test_years_are_in_order() -> None:
    """A usage error, with its exit code."""
    done = CliRunner().invoke(energia, ["holidays", "expand", "BR", "--from", "2", "--to", "1"])

    assert done.exit_code == 2


def test_a_list_is_stored(database: str) -> None:
    """In the next version, told with its name."""
    arguments = ["holidays", "expand", "BR", "--from", "2026", "--store", "--to"]
    environment = {"ENERGIA_DATABASE__URL": database}

    outputs = [
        CliRunner(env=environment).invoke(energia, [*arguments, year]).output
        for year in ("2026", "2026", "2027")
    ]

    assert outputs == [
        "br-national@1: 12 dates\n",
        "br-national@1: 12 dates\n",
        "br-national@2: 24 dates\n",
    ]
