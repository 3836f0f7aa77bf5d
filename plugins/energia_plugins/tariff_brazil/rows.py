"""What rows of the tables say: distributors, flags, taxes, postos, lighting, rules."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeVar

import attrs

from energia_plugins.tariff_brazil.portuguese import folded

__all__ = [
    "Band",
    "BillStyle",
    "Capacitive",
    "DatedRow",
    "DemandRule",
    "Discount",
    "Distributor",
    "Exempt",
    "FioB",
    "Flag",
    "Form",
    "Icms",
    "LesserSocial",
    "Lighting",
    "Losses",
    "Minimum",
    "Part",
    "Parts",
    "Phases",
    "PisCofins",
    "Postos",
    "ReactiveRule",
    "Rules",
    "SceeStyle",
    "Social",
    "SourcedRow",
    "Taxed",
    "Window",
    "in_force",
]

#: Two local times: from, to.
Window = tuple[str, ...]
Form = Literal["inside_product", "inside_sum"]
#: The connection: one phase, two phases with two or three wires, three phases.
Phases = Literal["monofasico", "bifasico_2_fios", "bifasico", "trifasico"]


@attrs.frozen(kw_only=True)
class SourcedRow:
    """What somebody says.

    Attributes:
        source: Who says so.
        sure: Whether a bill, a law or another primary source does.

    """

    source: str
    sure: bool = True


@attrs.frozen(kw_only=True)
class DatedRow(SourcedRow):
    """What holds over some time.

    Attributes:
        from_: The first day; None is from the beginning.
        to: The last day; None is for ever.

    """

    from_: date | None = None
    to: date | None = None


D = TypeVar("D", bound=DatedRow)


def in_force(rows: Sequence[D], on: date) -> D | None:
    """Return the row that holds on a day: of several, the one that began last."""
    holding = [row for row in rows if _begins(row) <= on and (row.to is None or on <= row.to)]
    return max(holding, key=_begins, default=None)


def _begins(row: DatedRow) -> date:
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
class Postos(DatedRow):
    """When the ponta and the intermediário of working days are, in local time.

    Attributes:
        ponta: Three consecutive hours.
        intermediario: Beside them, of the tarifa branca alone; none where it is not known.

    """

    ponta: Window
    intermediario: tuple[Window, ...] | None = None


@attrs.frozen(kw_only=True)
class Capacitive(SourcedRow):
    """The six hours of the night in which capacitive energy counts.

    Attributes:
        from_: Their start, in local time.
        to: Their end.

    """

    from_: str
    to: str


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
class Icms(DatedRow):
    """ICMS of a state.

    Attributes:
        state: Two letters.
        classes: Of which classes; None is of all others.
        form: How ICMS, PIS and COFINS are inside the price.
        bands: The rates.
        applies: Whether a rate is on `all` of the energy, or `each` on the energy of its band.
        exempt: What of injected energy is free of it.

    """

    state: str
    classes: tuple[str, ...] | None = None
    form: Form = "inside_product"
    bands: tuple[Band, ...]
    applies: Literal["all", "each"] = "all"
    exempt: Exempt = Exempt()


@attrs.frozen(kw_only=True)
class PisCofins(SourcedRow):
    """PIS and COFINS of a distributor in a month; they change every month.

    Attributes:
        distributor: Its id.
        month: `2026-08`.
        pis: A part of one.
        cofins: A part of one.

    """

    distributor: str
    month: str
    pis: Decimal
    cofins: Decimal


@attrs.frozen(kw_only=True)
class Lighting(DatedRow):
    """The charge of a municipality for public lighting (COSIP, CIP).

    Attributes:
        municipality: Its name.
        state: Two letters.
        charge: The charge, of the kind `table` or `fixed`.

    """

    municipality: str
    state: str
    charge: dict[str, Any]


@attrs.frozen(kw_only=True)
class Minimum(DatedRow):
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
class Social(DatedRow):
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
class LesserSocial(DatedRow):
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
class FioB(DatedRow):
    """What of TUSD Fio B a GD II pays on each kWh that is offset.

    Attributes:
        share: A part of one.

    """

    share: Decimal


#: Which taxes are on energy: ICMS of all of it, or of a part, and PIS and COFINS.
Taxed = Literal["icms", "icms_te", "icms_tusd", "pis_cofins"]


@attrs.frozen(kw_only=True)
class SceeStyle(DatedRow):
    """How a distributor bills energy that credits of distributed generation offset.

    Attributes:
        distributor: Its id.
        tariff: Whether offset energy has the `full` tariff, and credits too, or that of the `scee`.
        consumed: Which taxes are on what is consumed and offset.
        credited: Which taxes the credit of what the unit injects gives back.
        others: Which that of what others inject gives back; as `credited` without.
        fio_b: Whether Fio B lowers the `price` of credits, or is a `line`.
        flag: Whether the flag is in the tariff, or a line that has a credit.
        minimum: How the least that is billed is met where Fio B is paid; see `brazil.scee`.

    """

    distributor: str
    tariff: Literal["full", "scee"] = "full"
    consumed: tuple[Taxed, ...] = ("icms", "pis_cofins")
    credited: tuple[Taxed, ...] = ("icms_te", "pis_cofins")
    others: tuple[Taxed, ...] | None = None
    fio_b: Literal["price", "line"] = "price"
    flag: Literal["in_tariff", "line"] = "line"
    minimum: Literal["money", "kept", "line", "on_top"] = "money"


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
class Parts(DatedRow):
    """What of the components of the tariffs GD III pays on each kWh that is offset.

    Attributes:
        parts: The components.

    """

    parts: tuple[Part, ...]


@attrs.frozen(kw_only=True)
class DemandRule(DatedRow):
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
class ReactiveRule(DatedRow):
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
class Losses(DatedRow):
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
