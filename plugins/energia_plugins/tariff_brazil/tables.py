"""The dated tables of the kit: tariffs, flags, taxes, postos, rules; each row with its source.

They are data files beside this module. A folder of the operator's own (`data` of the plugin's
settings) may have files of the same names, which take the place of ours: newer ones of ANEEL, a
municipality of one's own. So may what the service has fetched.
"""

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Protocol, TypeVar

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

__all__ = [
    "BillStyle",
    "Capacitive",
    "DemandRule",
    "Distributor",
    "File",
    "Flag",
    "Folder",
    "Icms",
    "Lighting",
    "Losses",
    "PisCofins",
    "Postos",
    "ReactiveRule",
    "Rules",
    "SceeStyle",
    "Tables",
    "Taxed",
    "in_force",
]

#: Two local times: from, to.
Window = tuple[str, ...]
Form = Literal["inside_product", "inside_sum"]
#: The connection: one phase, two phases with two or three wires, three phases.
Phases = Literal["monofasico", "bifasico_2_fios", "bifasico", "trifasico"]


class Dated(Protocol):
    """What holds from a day on, to a day that is the last, or for ever."""

    @property
    def from_(self) -> date | None:
        """The first day; None is from the beginning."""

    @property
    def to(self) -> date | None:
        """The last day; None is for ever."""


D = TypeVar("D", bound=Dated)
R = TypeVar("R")
A = TypeVar("A", TariffRow, ComponentRow)


def in_force(rows: Sequence[D], on: date) -> D | None:
    """Return the row that holds on a day: of several, the one that began last."""
    holding = [row for row in rows if _begins(row) <= on and (row.to is None or on <= row.to)]
    return max(holding, key=_begins, default=None)


def _begins(row: Dated) -> date:
    return row.from_ or date.min


@attrs.frozen(kw_only=True)
class BillStyle:
    """How a distributor prints its bills.

    Attributes:
        unit_price_decimals: How many decimals its prices have, which it multiplies.
        energy: Whether TE and TUSD are one line `together`, or `apart`.
        flag: Whether the bandeira is `inside` the price of the energy, or a `line`.
        flag_share: What a line of some days is: their share of the `energy` at the whole price, or
            all energy at their share of the `rate`.
        source: Who says so.
        sure: Whether a bill shows it.

    """

    unit_price_decimals: int | None = None
    energy: Literal["together", "apart"] = "apart"
    flag: Literal["inside", "line"] = "line"
    flag_share: Literal["energy", "rate"] = "energy"
    source: str = ""
    sure: bool = True


@attrs.frozen(kw_only=True)
class Postos:
    """When the ponta and the intermediário of working days are, in local time.

    Attributes:
        from_: The first day.
        to: The last day.
        ponta: Three consecutive hours.
        intermediario: Beside them, of the tarifa branca alone; none where it is not known.
        source: Who says so.
        sure: Whether a primary source does.

    """

    from_: date | None = None
    to: date | None = None
    ponta: Window
    intermediario: tuple[Window, ...] | None = None
    source: str
    sure: bool = True


@attrs.frozen(kw_only=True)
class Capacitive:
    """The six hours of the night in which capacitive energy counts.

    Attributes:
        from_: Their start, in local time.
        to: Their end.
        source: Who says so.
        sure: Whether a primary source does.

    """

    from_: str
    to: str
    source: str
    sure: bool = True


@attrs.frozen(kw_only=True)
class Distributor:
    """A distributor.

    Attributes:
        id: A short name: `light`, `cpfl-paulista`.
        name: For people.
        aneel: How ANEEL's files call it, in all years.
        state: Two letters.
        timezone: IANA.
        bill: How it prints bills, where that is known.
        postos: Its postos over time.
        capacitive: Its capacitive hours, where they are known.

    """

    id: str
    name: str
    aneel: tuple[str, ...]
    state: str
    timezone: str
    bill: BillStyle | None = None
    postos: tuple[Postos, ...] = ()
    capacitive: Capacitive | None = None

    def is_called(self, name: str) -> bool:
        """Return whether a person, or ANEEL, means this distributor."""
        return folded(name) in self.names

    @cached_property
    def names(self) -> frozenset[str]:
        """What it is called, by people and ANEEL, folded."""
        return frozenset(folded(one) for one in (self.id, self.name, *self.aneel))


@attrs.frozen(kw_only=True)
class Flag:
    """The bandeira of a month.

    Attributes:
        month: `2026-08`.
        name: `Verde`, `Amarela`, `Vermelha P1`.
        price: R$/MWh, before taxes.
        source: Who says so.

    """

    month: str
    name: str
    price: Decimal
    source: str


@attrs.frozen(kw_only=True)
class Band:
    """A band of ICMS, by the energy of the bill; its rate is on all of it.

    Attributes:
        up_to: The most kWh that are in it; None in the last.
        rate: A part of one.

    """

    __public_name__: ClassVar[str] = "BrazilianIcmsBand"

    up_to: Decimal | None = None
    rate: Decimal


@attrs.frozen(kw_only=True)
class Exempt:
    """Which parts of injected energy are free of ICMS, so that their credit has it too.

    Attributes:
        scee_te: The energy.
        scee_tusd: The use of the grid.

    """

    scee_te: bool = True
    scee_tusd: bool = False


@attrs.frozen(kw_only=True)
class Icms:
    """ICMS of a state.

    Attributes:
        state: Two letters.
        classes: Of which classes; None is of all others.
        from_: The first day.
        to: The last day.
        form: How ICMS, PIS and COFINS are inside the price.
        bands: The rates.
        applies: Whether a rate is on `all` of the energy, or `each` on the energy of its band.
        exempt: What of injected energy is free of it.
        source: Who says so.
        sure: Whether a bill or a law does.

    """

    state: str
    classes: tuple[str, ...] | None = None
    from_: date | None = None
    to: date | None = None
    form: Form = "inside_product"
    bands: tuple[Band, ...]
    applies: Literal["all", "each"] = "all"
    exempt: Exempt = Exempt()
    source: str
    sure: bool = True


@attrs.frozen(kw_only=True)
class PisCofins:
    """PIS and COFINS of a distributor in a month; they change every month.

    Attributes:
        distributor: Its id.
        month: `2026-08`.
        pis: A part of one.
        cofins: A part of one.
        source: Who says so.
        sure: Whether a bill prints both.

    """

    distributor: str
    month: str
    pis: Decimal
    cofins: Decimal
    source: str
    sure: bool = True


@attrs.frozen(kw_only=True)
class Lighting:
    """The charge of a municipality for public lighting (COSIP, CIP).

    Attributes:
        municipality: Its name.
        state: Two letters.
        from_: The first day.
        to: The last day.
        charge: The charge, of the kind `table` or `fixed`.
        source: Who says so.
        sure: Whether a law or a bill does.

    """

    municipality: str
    state: str
    from_: date | None = None
    to: date | None = None
    charge: dict[str, Any]
    source: str
    sure: bool = True


@attrs.frozen(kw_only=True)
class Rule:
    """A rule of ANEEL or of a law, over some time.

    Attributes:
        from_: The first day.
        to: The last day.
        source: Who says so.
        sure: Whether the text was read.

    """

    from_: date | None = None
    to: date | None = None
    source: str
    sure: bool = True


@attrs.frozen(kw_only=True)
class Minimum(Rule):
    """The custo de disponibilidade.

    Attributes:
        kwh: By connection.

    """

    kwh: dict[Phases, Decimal]


@attrs.frozen(kw_only=True)
class Discount:
    """A tier of the tarifa social.

    Attributes:
        up_to: The most kWh that are in it; None in the last.
        discount: A part of one.

    """

    up_to: Decimal | None = None
    discount: Decimal


@attrs.frozen(kw_only=True)
class Social(Rule):
    """The tarifa social.

    Attributes:
        subclass: ANEEL's name of the subclass whose tariffs it is on.
        above: That of the tiers above the first, where it is another.
        tiers: Its discounts.

    """

    subclass: str
    above: str | None = None
    tiers: tuple[Discount, ...]


@attrs.frozen(kw_only=True)
class LesserSocial(Rule):
    """The desconto social: lower tariffs, without quotas of the CDE, to a bound.

    Attributes:
        subclass: ANEEL's name of the subclass whose tariffs hold to the bound.
        up_to: The bound, in kWh.
        above: The subclass of what is above.

    """

    subclass: str
    up_to: Decimal
    above: str


@attrs.frozen(kw_only=True)
class FioB(Rule):
    """What of TUSD Fio B a GD II pays on each kWh that is offset.

    Attributes:
        share: A part of one.

    """

    share: Decimal


#: Which taxes are on energy: ICMS of all of it, or of a part, and PIS and COFINS.
Taxed = Literal["icms", "icms_te", "icms_tusd", "pis_cofins"]


@attrs.frozen(kw_only=True)
class SceeStyle:
    """How a distributor bills energy that credits of distributed generation offset.

    Attributes:
        distributor: Its id.
        from_: The first day.
        to: The last day.
        tariff: Whether offset energy has the `full` tariff, and credits too, or that of the `scee`.
        consumed: Which taxes are on what is consumed and offset.
        credited: Which taxes the credit of what the unit injects gives back.
        others: Which that of what others inject gives back; as `credited` without.
        fio_b: Whether Fio B lowers the `price` of credits, or is a `line`.
        flag: Whether the flag is in the tariff, or a line that has a credit.
        minimum: How the least that is billed is met where Fio B is paid; see `brazil.scee`.
        source: Who says so.
        sure: Whether bills do.

    """

    distributor: str
    from_: date | None = None
    to: date | None = None
    tariff: Literal["full", "scee"] = "full"
    consumed: tuple[Taxed, ...] = ("icms", "pis_cofins")
    credited: tuple[Taxed, ...] = ("icms_te", "pis_cofins")
    others: tuple[Taxed, ...] | None = None
    fio_b: Literal["price", "line"] = "price"
    flag: Literal["in_tariff", "line"] = "line"
    minimum: Literal["money", "kept", "line", "on_top"] = "money"
    source: str
    sure: bool = True


@attrs.frozen(kw_only=True)
class Part:
    """A component of the tariffs, and how much of it is paid.

    Attributes:
        component: Its name in ANEEL's file.
        share: A part of one.

    """

    component: str
    share: Decimal


@attrs.frozen(kw_only=True)
class Parts(Rule):
    """What of the components of the tariffs GD III pays on each kWh that is offset.

    Attributes:
        parts: The components.

    """

    parts: tuple[Part, ...]


@attrs.frozen(kw_only=True)
class DemandRule(Rule):
    """How contracted demand is billed.

    Attributes:
        tolerance: What part of the contract may be exceeded.
        factor: So many times the price is paid for the excess, on top.
        full_contract: Whether the excess is what is above the contract, or above the tolerance.
        unused_without_icms: Whether ICMS is not due on what of the contract was not used.

    """

    tolerance: Decimal
    factor: Decimal
    full_contract: bool
    unused_without_icms: bool


@attrs.frozen(kw_only=True)
class ReactiveRule(Rule):
    """How reactive energy and demand are billed.

    Attributes:
        power_factor: The reference.
        energy_price: What the price of energy is, in words.
        demand_price: What the price of demand is, in words.
        group_b: Whether group B pays it.
        capacitive: When capacitive energy counts, where a distributor's own hours are not known.
        capacitive_source: Who says so.

    """

    power_factor: Decimal
    energy_price: str
    demand_price: str
    group_b: bool
    capacitive: Window
    capacitive_source: str


@attrs.frozen(kw_only=True)
class Losses(Rule):
    """The losses of a customer's transformer, which metering behind it does not see.

    Attributes:
        subgroups: Of which subgroups.
        percent: So many per cent of what is metered are added.

    """

    subgroups: tuple[str, ...]
    percent: Decimal


@attrs.frozen(kw_only=True)
class Rules:
    """The rules.

    Attributes:
        minimum: The custo de disponibilidade.
        social: The tarifa social.
        lesser_social: The desconto social.
        fio_b: What GD II pays of Fio B.
        gd3: What GD III pays.
        demand: Contracted demand of group A.
        reactive: Reactive energy and demand of group A.
        losses: Losses of customers' transformers.
        others: Whatever else the file has, by name.

    """

    minimum: tuple[Minimum, ...]
    social: tuple[Social, ...]
    lesser_social: tuple[LesserSocial, ...]
    fio_b: tuple[FioB, ...]
    gd3: tuple[Parts, ...]
    demand: tuple[DemandRule, ...]
    reactive: tuple[ReactiveRule, ...]
    losses: tuple[Losses, ...]
    others: dict[str, Any]


@attrs.frozen(kw_only=True)
class File:
    """A file of a table, as it was read.

    Attributes:
        name: `tarifas.csv`.
        origin: Where it is from: `energia` is the release, else a path or a URL.
        data: What it has.

    """

    name: str
    origin: str
    data: bytes = attrs.field(repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()


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


FOLDER: Final = files(__package__) / "tables"
#: What the source of a row begins with that was read on a bill, or published by the distributor.
_BILLED: Final = "Billed:"


@attrs.frozen
class Folder:
    """Files of tables: ours, and others in place of those of the same names.

    Attributes:
        given: The others, by name.

    """

    given: Mapping[str, File] = attrs.Factory(dict)

    @classmethod
    def of(cls, path: str | None) -> "Folder":
        """Return ours, with what a folder has in place of it."""
        given = {}
        for own in (Path(path) / name for name in names()) if path else ():
            if own.is_file():
                given[own.name] = File(name=own.name, origin=f"{own}", data=own.read_bytes())
        return cls(given)

    @classmethod
    def ours(cls, name: str) -> File:
        """Return a file of the release."""
        return File(name=name, origin="energia", data=(FOLDER / name).read_bytes())

    def file(self, name: str) -> File:
        """Return the file of a name."""
        return self.given.get(name) or self.ours(name)

    @property
    def version(self) -> str:
        """What tells all of it, and the release, from others."""
        digests = [f"{name} {self.file(name).digest}" for name in names()]
        of_all = "\n".join([version("energia"), *digests])
        return hashlib.sha256(of_all.encode()).hexdigest()[:16]


@cache
def names() -> tuple[str, ...]:
    """Return the names of the files that there are."""
    return tuple(
        sorted(file.name for file in FOLDER.iterdir() if file.name.endswith((".csv", ".json")))
    )


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
