"""What tables there are, where they are from and how new they are; and what is new in a file."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import attrs

from energia import Invalid, parse
from energia_plugins.tariff_brazil.aneel import (
    ComponentRow,
    FlagRow,
    Row,
    TariffRow,
    component_rows,
    flag_rows,
    tariff_rows,
)
from energia_plugins.tariff_brazil.portuguese import folded
from energia_plugins.tariff_brazil.rows import Flag
from energia_plugins.tariff_brazil.table_files import File
from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["Content", "FileNews", "content", "news"]


@attrs.frozen
class Content:
    """What a table has.

    Attributes:
        rows: How many rows.
        newest: From when on its newest row holds; None where rows have no dates.

    """

    rows: int
    newest: date | None


def content(file: File, tables: Tables) -> Content:
    """Return what a file has, of tables that were made with it."""
    rules = tables.rules
    rows: Mapping[str, Iterable[Any]] = {
        "bandeiras": tables.flags,
        "componentes": tables.components,
        "distributors": tables.distributors.values(),
        "icms": tables.icms,
        "lighting": tables.lighting,
        "pis_cofins": tables.pis_cofins,
        "rules": (*rules.minimum, *rules.social, *rules.fio_b),
        "scee": tables.scee,
        "tarifas": tables.tariffs,
    }
    stem = Path(file.name).stem
    found = list(rows[stem] if stem in rows else _others(file))
    return Content(len(found), max((day for row in found if (day := _day(row))), default=None))


def _others(file: File) -> Iterable[Any]:
    """Return the rows of a file that is read elsewhere."""
    read: Any = parse(file.data) if file.name.endswith(".json") else ()
    return read if isinstance(read, list) else (read,)


def _day(row: Any) -> date | None:
    """Return from when on a row holds."""
    if isinstance(month := getattr(row, "month", None), str):
        return date.fromisoformat(f"{month}-01")
    day = getattr(row, "start", None) or getattr(row, "from_", None)
    return day if isinstance(day, date) else None


@attrs.frozen(kw_only=True)
class FileNews:
    """What a file has that the tables in use have not.

    Attributes:
        name: Which table it is: `tarifas.csv`.
        rows: How many rows it has.
        newest: From when on its newest row holds.
        added: How many rows are of places and days that have none, by distributor or bandeira.
        changed: Rows that say otherwise than those in use: what, before, after.
        unknown: Names of agents that no distributor has, which are never used.

    """

    name: str
    rows: int
    newest: date | None
    added: Mapping[str, int]
    changed: tuple[tuple[str, str, str], ...]
    unknown: tuple[str, ...]


def news(path: str, data: bytes, tables: Tables) -> FileNews:
    """Return what is new in a file of ANEEL's.

    Raises:
        Invalid: It is none, or does not fit; faults name the lines.

    """
    head = folded(data[:4000].decode("latin-1").partition("\n")[0])
    if "vlrtusd" in head:
        return _rows("tarifas.csv", tariff_rows(data, path), tables.tariffs, tables)
    if "vlrcomponentetarifario" in head:
        return _rows("componentes.csv", component_rows(data, path), tables.components, tables)
    if "bandeira" in head:
        return _flags(flag_rows(data, path), tables.flags)
    raise Invalid.of(
        "not_aneel",
        f"{path} não é um arquivo de tarifas, de componentes nem de bandeiras da ANEEL: "
        "a primeira linha não tem as colunas de nenhum deles",
    )


def _rows(name: str, rows: Iterable[Row], before: Iterable[Row], tables: Tables) -> FileNews:
    ids = {called: one.id for one in tables.distributors.values() for called in one.names}
    known = dict(_placed(before, ids))
    new = dict(_placed(rows, ids))
    added = Counter(place[0] for place in new if place not in known and place[0] in ids.values())
    changed = tuple(
        (" ".join(map(str, place)), _prices(known[place]), _prices(row))
        for place, row in new.items()
        if place in known and _values(known[place]) != _values(row)
    )
    agents = {row.agent for row in new.values() if folded(row.agent) not in ids}
    newest = max((row.start for row in new.values()), default=None)
    return FileNews(
        name=name,
        rows=len(new),
        newest=newest,
        added=dict(sorted(added.items())),
        changed=changed,
        unknown=tuple(sorted(agents)),
    )


def _placed(rows: Iterable[Row], ids: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], Row]]:
    """Yield the rows by what they are about; what does not apply is left out of it."""
    names: dict[str, str] = {}
    for row in rows:
        agent = names.setdefault(row.agent, ids.get(folded(row.agent), row.agent))
        parts = (row.subgroup, row.modality, row.class_, row.subclass, row.detail, row.posto)
        component = row.component if isinstance(row, ComponentRow) else ""
        yield (agent, *parts, row.unit, component, f"{row.start}"), row


def _values(row: Row) -> tuple[Any, ...]:
    if isinstance(row, TariffRow):
        return row.tusd, row.te
    return (row.value,) if isinstance(row, ComponentRow) else ()


def _prices(row: Row) -> str:
    return " + ".join(f"{value:f}".replace(".", ",") for value in _values(row))


def _flags(rows: Iterable[FlagRow], before: Iterable[Flag]) -> FileNews:
    known = {flag.month: flag for flag in before}
    new = {f"{row.month:%Y-%m}": row for row in rows}
    return FileNews(
        name="bandeiras.csv",
        rows=len(new),
        newest=max((row.month for row in new.values()), default=None),
        added=dict(Counter(row.name for month, row in new.items() if month not in known)),
        changed=tuple(
            (month, f"{known[month].price:f}", f"{row.price:f}")
            for month, row in new.items()
            if month in known and known[month].price != row.price
        ),
        unknown=(),
    )
