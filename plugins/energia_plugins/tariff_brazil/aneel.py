"""ANEEL's open data of tariffs, as it is published: "tarifas-distribuidoras-energia-eletrica".

Resource fcf2906c-7c32-4b9b-a637-054e7a5234f4 (ODbL), its components of tariffs, and the bandeiras
(0591b8f6-fe54-437b-b72b-1aa2efd46e42). Over the years the files had `;` and `,` between columns,
UTF-8 and Latin-1, `,00` for zero, quoted and bare texts. A file has 200,000 rows and more, whose
few different texts are read once.
"""

import codecs
import csv
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar

import attrs

from energia import Fault, Invalid, Unfit
from energia_plugins.tariff_brazil.portuguese import day, folded, number

__all__ = ["ComponentRow", "FlagRow", "TariffRow", "component_rows", "flag_rows", "tariff_rows"]

T = TypeVar("T")

#: The basis of what is billed; the other, "Base Econômica", is of the regulator's own sums.
BILLED: Final = "tarifa de aplicacao"
#: How many faults of a file are told.
TOLD: Final = 20
#: No price is higher, by its unit: a file that has lost its decimal commas has such. The highest of
#: 2026 are 5,066.34 R$/MWh (ponta of the verde, AS) and 188.53 R$/kW (ponta of the azul, AS).
_HIGHEST: Final = {"mwh": Decimal(10_000), "kw": Decimal(1_000)}
_HIGHEST_FLAG: Final = Decimal(1_000)
#: Of so many prices above zero, one at least is no whole number.
_SOME: Final = 20
_CHUNK: Final = 1 << 20
#: Bytes that Windows-1252 does not have.
_NOT_WINDOWS: Final = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")

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
#: The columns of the bandeiras: ANEEL's, and ours.
_FLAGS: Final = ("DatCompetencia", "NomBandeiraAcionada", "VlrAdicionalBandeira")
_OUR_FLAGS: Final = ("competencia", "bandeira", "adicional_brl_mwh")
#: What the cells of these columns are not: names, which are folded.
_NOT_NAMES: Final = ("agent", "resolution", "start", "end")


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


@attrs.frozen(kw_only=True)
class FlagRow:
    """A row of the bandeiras.

    Attributes:
        month: Its first day.
        name: `Verde`, `Amarela`, `Vermelha P1`.
        price: R$/MWh, before taxes.
        source: Where the row is from.

    """

    month: date
    name: str
    price: Decimal
    source: str


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


def flag_rows(data: bytes, source: str) -> tuple[FlagRow, ...]:
    """Return the rows of a file of bandeiras: ANEEL's columns, or ours with a decimal point."""
    lines = _Lines(data)
    ours = _OUR_FLAGS[0] in lines.head
    month, name, price = lines.columns(_OUR_FLAGS if ours else _FLAGS)
    told = lines.head.index("fonte") if ours and "fonte" in lines.head else None
    days, prices = _once(_day), _once(_point_or_comma if ours else number)
    rows = []
    for line, cells in lines:
        with lines.faults(line):
            value = prices(cells[price])
            if value > _HIGHEST_FLAG:
                raise _implausible(cells[price], "R$/MWh", _HIGHEST_FLAG)
            row = FlagRow(
                month=days(cells[month]),
                name=cells[name].strip(),
                price=value,
                source=(cells[told] if told is not None else "") or source,
            )
            rows.append(row)
    lines.refuse()
    return tuple(rows)


def _read(
    data: bytes, source: str, names: Mapping[str, str], numbers: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield the fields of the rows that are billed."""
    lines = _Lines(data)
    lines.columns([*names.values(), *numbers.values()])
    place = {name: lines.head.index(column) for name, column in names.items()}
    value_of = {name: lines.head.index(column) for name, column in numbers.items()}
    told = lines.head.index("Fonte") if "Fonte" in lines.head else None
    folds, texts, days, prices = _once(folded), _once(_text), _once(_day), _once(number)
    units = _once(_unit)
    named = [name for name in names if name not in _NOT_NAMES and name != "unit"]
    priced = whole = 0
    for line, cells in lines:
        if folds(cells[place["basis"]]) != BILLED:
            continue
        with lines.faults(line):
            unit, end = units(cells[place["unit"]]), cells[place["end"]].strip()
            row = {name: folds(cells[place[name]]) for name in named}
            values = {name: prices(cells[column]) for name, column in value_of.items()}
            for name, value in values.items():
                if value > _HIGHEST.get(unit, value):
                    raise _implausible(cells[value_of[name]], _UNITS[unit], _HIGHEST[unit])
                priced += value != 0
                whole += value != 0 and value == value.to_integral_value()
            yield {
                **row,
                **values,
                "unit": unit,
                "start": days(cells[place["start"]]),
                "end": days(end) if end else None,
                "agent": texts(cells[place["agent"]]),
                "resolution": texts(cells[place["resolution"]]),
                "source": texts(cells[told] if told is not None else "") or source,
            }
    lines.refuse()
    if priced >= _SOME and priced == whole:
        message = (
            f"nenhum dos {priced} preços tem casas decimais: o arquivo perdeu as vírgulas "
            "(34,97 virou 3497); baixe-o de novo da ANEEL"
        )
        raise Invalid.of("lost_decimals", message)


#: Units by their folded names: `R$/MWh` is `mwh`.
_UNITS: Final = {"mwh": "R$/MWh", "kw": "R$/kW"}


def _unit(text: str) -> str:
    return folded(text).removeprefix("r ")


def _implausible(text: str, unit: str, most: Decimal) -> Unfit:
    message = (
        f"{text.strip()!r} passa de {most} {unit}: não é plausível; "
        "o arquivo perdeu a vírgula decimal?"
    )
    return Unfit("implausible_price", message)


def _once(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return *read*, which reads each text once: a file has few different ones."""
    known: dict[str, T] = {}

    def remembered(text: str) -> T:
        if text not in known:
            known[text] = read(text)
        return known[text]

    return remembered


def _text(text: str) -> str:
    return sys.intern(text.strip())


def _day(text: str) -> date:
    """Return a day: a store of data may have made an instant of it, at midnight."""
    return day(text.strip().replace(" ", "T").removesuffix("T00:00:00"))


def _point_or_comma(text: str) -> Decimal:
    """Return the number of our own files, which had a decimal point."""
    head, point, tail = text.strip().partition(".")
    plain = point and head.isdecimal() and tail.isdecimal()
    return Decimal(f"{head}.{tail}") if plain else number(text)


class _Lines:
    """The rows of a file, each with its line, and what is wrong with them."""

    def __init__(self, data: bytes) -> None:
        text = io.TextIOWrapper(io.BytesIO(data), encoding=_encoding(data), newline="")
        first = text.readline()
        text.seek(0)
        self._reader = csv.reader(text, delimiter=";" if ";" in first else ",")
        self.head = [name.strip() for name in next(self._reader, [])]
        self._found: list[Fault] = []

    def columns(self, names: Sequence[str]) -> list[int]:
        """Return where columns are; raises `Invalid`."""
        if missing := [name for name in names if name not in self.head]:
            lacking = ", ".join(missing)
            message = f"faltam as colunas {lacking}: não é um arquivo de dados abertos da ANEEL"
            raise Invalid.of("not_aneel", message)
        return [self.head.index(name) for name in names]

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row that has all columns; one that has not is a fault."""
        width = len(self.head)
        try:
            for cells in self._reader:
                if len(cells) == width:
                    yield self._reader.line_num, cells
                elif cells:
                    message = f"{len(cells)} colunas, e não {width}: o arquivo está inteiro?"
                    self._fault(self._reader.line_num, "wrong_columns", message)
        except csv.Error as error:
            self._fault(self._reader.line_num, "not_csv", f"não é CSV: {error}")

    def faults(self, line: int) -> "_Faults":
        """Return a context that keeps what is wrong with a line."""
        return _Faults(self, line)

    def _fault(self, line: int, code: str, message: str) -> None:
        if len(self._found) < TOLD:
            self._found.append(Fault(code, f"linha {line}: {message}", line=line))

    def refuse(self) -> None:
        """Raise `Invalid` if anything is wrong."""
        if self._found:
            raise Invalid.of_all(self._found)


@attrs.frozen
class _Faults:
    """Keeps what is wrong with a line."""

    _lines: _Lines
    _line: int

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, type_: object, error: BaseException | None, trace: object) -> bool:
        """Keep what does not fit, and go on."""
        if isinstance(error, Unfit):
            self._lines._fault(self._line, error.code, error.message)
            return True
        return False


def _encoding(data: bytes) -> str:
    """Return UTF-8 where all of it is that, else the Latin-1 of Windows, or Latin-1 itself."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "latin-1" if any(byte in data for byte in _NOT_WINDOWS) else "cp1252"
    return "utf-8-sig"
