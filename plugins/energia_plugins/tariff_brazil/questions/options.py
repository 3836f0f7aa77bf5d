"""What options of `energia brasil` are given, as Brazilians write it: `Comercial`, `08/2026`."""

import re
from collections.abc import Callable
from datetime import date
from typing import Final, get_args

import click

from energia import Unfit
from energia_plugins.tariff_brazil.portuguese import day, folded
from energia_plugins.tariff_brazil.request import Class, Modality, Subgroup
from energia_plugins.tariff_brazil.rows import Phases

__all__ = ["CHANNEL", "CLASS", "MODALITY", "PHASES", "SUBGROUP", "dia", "mes"]

_MONTH: Final = re.compile(r"(0?[1-9]|1[0-2])/(\d{4})|(\d{4})-(0[1-9]|1[0-2])")


def dia(text: str) -> date:
    """Return the day of an option, as Brazilians or ISO 8601 write it; help calls it `DIA`."""
    try:
        return day(text)
    except Unfit as error:
        raise click.BadParameter(f"{error}") from None


def mes(text: str) -> str:
    """Return the month of an option, `08/2026` or `2026-08`, as the API writes it."""
    match = _MONTH.fullmatch(text.strip())
    if match is None:
        raise click.BadParameter(f"{text!r} não é um mês como 08/2026")
    number, year, iso_year, iso_number = match.groups()
    return f"{year or iso_year}-{int(number or iso_number):02d}"


def _word_of(known: tuple[str, ...]) -> Callable[[str], str]:
    """Return the type of an option that is one of some words, whatever its case and accents."""
    by_name = {folded(word): word for word in known}

    def nome(text: str) -> str:
        if folded(text) in by_name:
            return by_name[folded(text)]
        raise click.BadParameter(f"{text!r} não é nenhum destes: {', '.join(known)}")

    return nome


CLASS: Final = _word_of(get_args(Class))
MODALITY: Final = _word_of(get_args(Modality))
PHASES: Final = _word_of(get_args(Phases))
SUBGROUP: Final = _word_of(get_args(Subgroup))
#: The channels of a stored meter that has several.
CHANNEL: Final = click.option(
    "--canal",
    multiple=True,
    metavar="PAPEL=CANAL",
    help="Um canal do medidor, onde há vários: import.ponta=t1. Os de um papel se somam.",
)
