"""ANEEL's open data of tariffs, as it is published: "tarifas-distribuidoras-energia-eletrica".

Resource fcf2906c-7c32-4b9b-a637-054e7a5234f4 (ODbL), and its components of tariffs. Over the years
the files had `;` and `,` between columns, UTF-8 and Latin-1, `,00` for zero, quoted and bare texts.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import attrs

from energia import Fault, Invalid, Unfit
from energia_plugins.tariff_brazil.portuguese import day, folded, number

__all__ = ["ComponentRow", "TariffRow", "component_rows", "tariff_rows"]

#: The basis of what is billed; the other, "Base Econômica", is of the regulator's own sums.
BILLED: Final = "tarifa de aplicacao"
#: How many faults of a file are told.
TOLD: Final = 20

#: Columns of the file of tariffs, and their names in that of components.
_TARIFFS: Final = {
    "agent": "SigAgente",
    "resolution": "DscREH",
    "start": "DatInicioVigencia",
    "end": "DatFimVigencia",
    "basis": "DscBaseTarifaria",
    "subgroup": "DscSubGrupo",
    "modality": "DscModalidadeTarifaria",
    "class_": "DscClasse",
    "subclass": "DscSubClasse",
    "detail": "DscDetalhe",
    "posto": "NomPostoTarifario",
    "unit": "DscUnidadeTerciaria",
}
_COMPONENTS: Final = {
    "agent": "SigNomeAgente",
    "resolution": "DscResolucaoHomologatoria",
    "start": "DatInicioVigencia",
    "end": "DatFimVigencia",
    "basis": "DscBaseTarifaria",
    "subgroup": "DscSubGrupoTarifario",
    "modality": "DscModalidadeTarifaria",
    "class_": "DscClasseConsumidor",
    "subclass": "DscSubClasseConsumidor",
    "detail": "DscDetalheConsumidor",
    "posto": "DscPostoTarifario",
    "unit": "DscUnidade",
    "component": "DscComponenteTarifario",
}


@attrs.frozen(kw_only=True)
class Row:
    """What a row is about. Names are folded: without accents and capitals.

    Attributes:
        agent: The distributor, as the file calls it.
        resolution: The resolution that set it.
        start: The first day.
        end: The last day; None where the file has none.
        basis: `tarifa de aplicacao` is billed.
        subgroup: `a4`, `b1`.
        modality: `convencional`, `branca`, `azul`, `verde`.
        class_: `residencial`, `nao se aplica`.
        subclass: `residencial`, `baixa renda`.
        detail: `nao se aplica`, `scee`, `ape`.
        posto: `ponta`, `intermediario`, `fora ponta`, `nao se aplica`.
        unit: `mwh` or `kw`.
        source: Where the row is from.

    """

    agent: str
    resolution: str
    start: date
    end: date | None
    basis: str
    subgroup: str
    modality: str
    class_: str
    subclass: str
    detail: str
    posto: str
    unit: str
    source: str


@attrs.frozen(kw_only=True)
class TariffRow(Row):
    """A row of the tariffs.

    Attributes:
        tusd: For the use of the grid, R$/MWh or R$/kW.
        te: For the energy, R$/MWh.

    """

    tusd: Decimal
    te: Decimal


@attrs.frozen(kw_only=True)
class ComponentRow(Row):
    """A row of the components of the tariffs.

    Attributes:
        component: Such as `tusd fiob`.
        value: R$/MWh or R$/kW.

    """

    component: str
    value: Decimal


def tariff_rows(data: bytes, source: str) -> tuple[TariffRow, ...]:
    """Return the rows of a file of tariffs that are billed.

    Args:
        data: The file.
        source: Where it is from; a column `Fonte` says so of each row, where there is one.

    Raises:
        Invalid: It is no such file, or rows do not fit; faults name their lines.

    """
    numbers = {"tusd": "VlrTUSD", "te": "VlrTE"}
    return tuple(TariffRow(**row) for row in _read(data, source, _TARIFFS, numbers))


def component_rows(data: bytes, source: str) -> tuple[ComponentRow, ...]:
    """Return the rows of a file of components that are billed; as `tariff_rows`."""
    numbers = {"value": "VlrComponenteTarifario"}
    return tuple(ComponentRow(**row) for row in _read(data, source, _COMPONENTS, numbers))


def _read(
    data: bytes, source: str, names: Mapping[str, str], numbers: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield the fields of the rows that are billed."""
    faults: list[Fault] = []
    for line, cells in _cells(data, [*names.values(), *numbers.values()]):
        row = {name: folded(cells[column]) for name, column in names.items()}
        if row["basis"] != BILLED:
            continue
        try:
            dates = {"start": day(cells[names["start"]]), "end": _end(cells[names["end"]])}
            values = {name: number(cells[column]) for name, column in numbers.items()}
        except Unfit as error:
            faults.append(Fault(error.code, f"linha {line}: {error.message}", line=line))
            continue
        told = {"agent": cells[names["agent"]].strip(), "resolution": cells[names["resolution"]]}
        yield {**row, **dates, **values, **told, "source": cells.get("Fonte") or source}
    if faults:
        raise Invalid.of_all(faults[:TOLD])


def _cells(data: bytes, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row of the file by its columns, with its line."""
    text = _text(data)
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in head else ",")
    if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
        message = f"faltam as colunas {', '.join(missing)}: não é um arquivo de tarifas da ANEEL"
        raise Invalid.of("not_aneel", message)
    for row in reader:
        yield reader.line_num, {name: value or "" for name, value in row.items() if name}


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _end(text: str) -> date | None:
    return day(text) if text.strip() else None
