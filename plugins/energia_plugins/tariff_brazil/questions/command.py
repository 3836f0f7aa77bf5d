"""`energia brasil demanda`: the question which demand to contract, on the command line."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from energia import Unfit, structure
from energia.cli.trials import trial_of_command
from energia_plugins.tariff_brazil.portuguese import money_text, number, number_text
from energia_plugins.tariff_brazil.questions.commands import measured
from energia_plugins.tariff_brazil.questions.contract_answer import DemandAnswer
from energia_plugins.tariff_brazil.questions.contracts import DemandQuestion, answer
from energia_plugins.tariff_brazil.tables import tables

__all__ = ["find"]


def find(
    folder: str | None,
    *,
    contratada: tuple[str, ...],
    grafico: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Ask, and print the answer; plots go into a folder.

    Raises:
        click.UsageError: Options do not go together.

    """
    question = structure(_question(given, contratada), DemandQuestion)
    found = asyncio.run(answer(question, tables(folder), trial_of_command))
    if grafico is not None:
        for modality in found.modalities:
            for one in modality.postos:
                name = f"demanda-{modality.modality}-{one.posto}.svg"
                (grafico / name).write_text(one.plot, encoding="utf-8")
    click.echo(_json(found) if as_json else "\n".join(_lines(found)))


def _question(given: dict[str, Any], contratada: tuple[str, ...]) -> dict[str, Any]:
    """Return the body of the request."""
    contracted = dict(map(_contract, contratada))
    body = measured(given, "A4")
    if contracted:
        body["customer"]["contracted"] = contracted
    return body


def _contract(text: str) -> tuple[str, str]:
    posto, separator, kw = text.rpartition("=")
    try:
        value = number(kw.casefold().removesuffix("kw"))
    except Unfit:
        message = f"Diga --contratada KW, como 180 ou ponta=120,5, e não {text!r}."
        raise click.UsageError(message) from None
    return (posto if separator else "unico"), f"{value}"


def _lines(found: DemandAnswer) -> Iterator[str]:
    """Yield the answer as text, with a table of each posto."""
    yield found.texts["pt-BR"]
    for modality in found.modalities:
        for one in modality.postos:
            yield ""
            where = "" if one.posto == "unico" else f", {one.posto.replace('_', ' ')}"
            yield (
                f"{modality.modality}{where}: {one.contracted} kW, "
                f"demanda {money_text(Decimal(one.cost))}"
            )
            yield f"{'mês':8}{'medida':>12}{'não usada':>12}{'excesso':>12}{'R$':>14}"
            for month in one.months:
                numbers = (month.measured, month.unused, month.excess)
                cells = "".join(f"{number_text(Decimal(kw)):>12}" for kw in numbers)
                mark = " <" if month.sets else ""
                yield f"{month.month:8}{cells}{number_text(Decimal(month.cost)):>14}{mark}"
    for assumption in found.assumptions:
        yield f"suposto: {assumption.what} ({assumption.setting})"


def _json(found: DemandAnswer) -> str:
    from energia import dumps

    return dumps(found).decode()
