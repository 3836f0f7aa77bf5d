"""The dated tables of the kit: tariffs, flags, taxes, postos, rules; each row with its source.

They are data files beside this module. A folder of the operator's own (`data` of the plugin's
settings) may have files of the same names, which take the place of ours: newer ones of ANEEL, a
municipality of one's own. So may what the service has fetched.
"""

import difflib
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from typing import Any, Final, TypeVar

import attrs

from energia import Invalid, parse, structure
from energia_plugins.tariff_brazil.aneel import (
    ComponentRow,
    TariffRow,
    component_rows,
    flag_rows,
    tariff_rows,
)
from energia_plugins.tariff_brazil.portuguese import folded
from energia_plugins.tariff_brazil.rows import (
    DemandRule,
    Distributor,
    FioB,
    Flag,
    Icms,
    LesserSocial,
    Lighting,
    Losses,
    Minimum,
    Parts,
    PisCofins,
    ReactiveRule,
    Rules,
    SceeStyle,
    Social,
)
from energia_plugins.tariff_brazil.table_files import Folder

__all__ = ["Tables", "tables", "tables_of"]

R = TypeVar("R")
A = TypeVar("A", TariffRow, ComponentRow)


@attrs.frozen(kw_only=True, repr=False)
class Tables:
    """All tables.

    Attributes:
        distributors: By id.
        tariffs: ANEEL's rows.
        components: ANEEL's rows of components.
        flags: In the order of their months.
        icms: Of the states.
        pis_cofins: Of distributors and months.
        lighting: Of municipalities.
        rules: What laws say.
        scee: How distributors bill distributed generation.
        version: Tells these tables, and the release that reads them, from others.

    """

    distributors: dict[str, Distributor]
    tariffs: tuple[TariffRow, ...]
    components: tuple[ComponentRow, ...]
    flags: tuple[Flag, ...]
    icms: tuple[Icms, ...]
    pis_cofins: tuple[PisCofins, ...]
    lighting: tuple[Lighting, ...]
    rules: Rules
    scee: tuple[SceeStyle, ...] = ()
    version: str = ""

    def __repr__(self) -> str:
        """Return what tells it from others: 200,000 rows in a traceback take minutes."""
        return f"Tables(version={self.version!r})"

    @cached_property
    def _tariffs_by_agent(self) -> dict[str, list[TariffRow]]:
        return _by_agent(self.tariffs)

    @cached_property
    def _components_by_agent(self) -> dict[str, list[ComponentRow]]:
        return _by_agent(self.components)

    def tariffs_of(self, distributor: Distributor) -> Iterator[TariffRow]:
        """Yield ANEEL's rows of a distributor, of all years, in the order of the file by name."""
        for name in sorted(distributor.names):
            yield from self._tariffs_by_agent.get(name, ())

    def components_of(self, distributor: Distributor) -> Iterator[ComponentRow]:
        """Yield ANEEL's rows of components of a distributor, as `tariffs_of`."""
        for name in sorted(distributor.names):
            yield from self._components_by_agent.get(name, ())

    def distributor(self, name: str) -> Distributor:
        """Return the distributor that a name means; raises `Invalid` with those that are near."""
        found = [one for one in self.distributors.values() if one.is_called(name)]
        if len(found) == 1:
            return found[0]
        near = [one.id for one in self.distributors.values() if _near(name, one)]
        hint = f" (será {' ou '.join(near[:8])}?)" if near else ""
        message = (
            f"não há distribuidora {name!r}{hint}: veja /v1/brazil/distributors, ou ponha-a em "
            "distributors.json (data)"
        )
        raise Invalid.of("unknown_distributor", message, "/distributor")


def _by_agent(rows: Iterable[A]) -> dict[str, list[A]]:
    """Return rows by what their file calls the distributor, folded."""
    found: dict[str, list[A]] = {}
    names: dict[str, str] = {}
    for row in rows:
        name = names.get(row.agent) or names.setdefault(row.agent, folded(row.agent))
        found.setdefault(name, []).append(row)
    return found


def _near(name: str, one: Distributor) -> bool:
    """Tell whether somebody may have meant a distributor: by its first word, or a slip."""
    wanted = folded(name)
    known = [folded(text) for text in (one.id, one.name, *one.aneel)]
    words = {text.split()[0] for text in known if text}
    return wanted.split()[:1] in [[word] for word in words] or bool(
        difflib.get_close_matches(wanted, known, 1, 0.8)
    )


#: What the source of a row begins with that was read on a bill, or published by the distributor.
_BILLED: Final = "Billed:"


@cache
def tables(folder: str | None = None) -> Tables:
    """Return the tables: ours, with the files of a folder in place of those of the same names.

    Raises:
        Invalid: A file does not fit; its faults name the file.

    """
    return tables_of(Folder.of(folder))


def tables_of(folder: Folder) -> Tables:
    """Return the tables of files; raises as `tables`."""
    return Tables(
        distributors={one.id: one for one in _json(folder, "distributors", Distributor)},
        tariffs=_tariffs(folder),
        components=component_rows(_bytes(folder, "componentes.csv"), "componentes.csv"),
        flags=tuple(_flags(_bytes(folder, "bandeiras.csv"))),
        icms=tuple(_json(folder, "icms", Icms)),
        pis_cofins=tuple(_json(folder, "pis_cofins", PisCofins)),
        lighting=tuple(_json(folder, "lighting", Lighting)),
        rules=_rules(_bytes(folder, "rules.json")),
        scee=tuple(_json(folder, "scee", SceeStyle)),
        version=folder.version,
    )


def _bytes(folder: Folder, name: str) -> bytes:
    return folder.file(name).data


def _json(folder: Folder, name: str, type_: type[R]) -> list[R]:
    rows: Any = parse(_bytes(folder, f"{name}.json"))
    return [structure(row, type_) for row in rows]


def _flags(data: bytes) -> Iterator[Flag]:
    for row in flag_rows(data, "bandeiras.csv"):
        yield Flag(month=f"{row.month:%Y-%m}", name=row.name, price=row.price, source=row.source)


def _tariffs(folder: Folder) -> tuple[TariffRow, ...]:
    """Return the tariffs; ANEEL's own file leaves our rows that were read on bills in place.

    Its rows have no column `Fonte`. Where the open data differ, customers are billed by ours.
    """
    name = "tarifas.csv"
    rows = tariff_rows(_bytes(folder, name), name)
    if name not in folder.given or any(row.source != name for row in rows):
        return rows
    ours = tariff_rows(Folder.ours(name).data, name)
    billed = {_place(row): row for row in ours if row.source.startswith(_BILLED)}
    days = {row.start for row in billed.values()}
    others = (row for row in rows if row.start not in days or _place(row) not in billed)
    return (*others, *billed.values())


def _place(row: TariffRow) -> tuple[object, ...]:
    """Return what of rows of one place in the table there is one: a price of a day on."""
    return (
        *(folded(row.agent), row.subgroup, row.modality, row.class_, row.subclass),
        *(row.detail, row.posto, row.unit, row.start),
    )


def _rules(data: bytes) -> Rules:
    raw: Any = parse(data)
    return Rules(
        minimum=structure(raw.pop("minimum"), tuple[Minimum, ...]),
        social=structure(raw.pop("social"), tuple[Social, ...]),
        lesser_social=structure(raw.pop("desconto_social"), tuple[LesserSocial, ...]),
        fio_b=structure(raw.pop("fio_b"), tuple[FioB, ...]),
        gd3=structure(raw.pop("gd3", []), tuple[Parts, ...]),
        demand=structure(raw.pop("demand"), tuple[DemandRule, ...]),
        reactive=structure(raw.pop("reactive"), tuple[ReactiveRule, ...]),
        losses=structure(raw.pop("losses"), tuple[Losses, ...]),
        others=raw,
    )
