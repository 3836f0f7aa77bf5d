"""`energia brasil demanda`: the question which demand to contract, on the command line."""

import asyncio
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from energia import parse, structure
from energia.cli.trials import trial_of_command
from energia_plugins.tariff_brazil.portuguese import money_text, number_text
from energia_plugins.tariff_brazil.questions.contract_answer import DemandAnswer
from energia_plugins.tariff_brazil.questions.contracts import DemandQuestion, answer
from energia_plugins.tariff_brazil.tables import tables

__all__ = ["find"]


def find(folder: str | None, *, grafico: Path | None, as_json: bool, **given: Any) -> None:
    """Ask, and print the answer; plots go into a folder.

    Raises:
        click.UsageError: Options do not go together.

    """
    question = structure(_question(**given), DemandQuestion)
    found = asyncio.run(answer(question, tables(folder), trial_of_command))
    if grafico is not None:
        for modality in found.modalities:
            for one in modality.postos:
                name = f"demanda-{modality.modality}-{one.posto}.svg"
                (grafico / name).write_text(one.plot, encoding="utf-8")
    click.echo(_json(found) if as_json else "\n".join(_lines(found)))


def _question(  # noqa: PLR0913 - the options
    *,
    distribuidora: str,
    subgrupo: str | None,
    modalidade: str | None,
    contratada: tuple[str, ...],
    pedido: Path | None,
    medidor: str | None,
    leituras: Path | None,
    de: date | None,
    ate: date | None,
) -> dict[str, Any]:
    """Return the body of the request."""
    if (medidor is None) == (leituras is None):
        raise click.UsageError("Diga --medidor, um medidor guardado, ou --leituras, um arquivo.")
    start, end = (None if day is None else f"{day}" for day in (de, ate))
    more: Any = {} if pedido is None else parse(pedido.read_bytes())
    usage: Any = None if leituras is None else parse(leituras.read_bytes())
    said = {
        "distributor": distribuidora,
        "subgroup": subgrupo,
        "modality": modalidade,
        "contracted": dict(map(_contract, contratada)) or None,
    }
    default = {"subgroup": "A4", "from": start or "1990-01-01"}
    customer = {
        **default,
        **more,
        **{name: value for name, value in said.items() if value is not None},
    }
    body = {"customer": customer, "meter": medidor, "usage": usage, "start": start, "end": end}
    return {name: value for name, value in body.items() if value is not None}


def _contract(text: str) -> tuple[str, str]:
    posto, separator, kw = text.rpartition("=")
    return (posto if separator else "unico"), kw


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
