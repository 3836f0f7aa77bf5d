"""What a tariff is asked for with, and what the answer has beside the tariff."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

import attrs
from msgspec import Meta

from energia_plugins.tariff_brazil.rows import Band, Form, Phases, Taxed

__all__ = [
    "Assumption",
    "BrazilianTariff",
    "Class",
    "Generation",
    "Modality",
    "Overrides",
    "Parameter",
    "Posto",
    "RateParts",
    "Source",
    "Subgroup",
    "TariffRequest",
]

Subgroup = Literal["A1", "A2", "A3", "A3a", "A4", "AS", "B1", "B2", "B3", "B4"]
Modality = Literal["convencional", "branca", "verde", "azul"]
Class = Literal[
    "residencial",
    "baixa_renda",
    "desconto_social",
    "rural",
    "comercial",
    "industrial",
    "servico_publico",
    "poder_publico",
    "iluminacao_publica",
]
Month = Annotated[
    str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", extra={"words": "a month such as 2026-08"})
]
Share = Annotated[Decimal, Meta(ge=0, lt=1)]
Clock = Annotated[
    str,
    Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", extra={"words": "a time of day such as 17:30"}),
]
#: From, to.
Hours = Annotated[tuple[Clock, ...], Meta(min_length=2, max_length=2)]
#: A part of one, or all of it.
Part = Annotated[Decimal, Meta(ge=0, le=1)]
Posto = Literal["unico", "ponta", "intermediario", "fora_ponta"]


@attrs.frozen(kw_only=True)
class Generation:
    """Generation of one's own that the grid takes (SCEE, Lei 14.300/2022).

    Attributes:
        type: `gd1` was asked for by 7 January 2023, `gd2` later; `gd3` is large and far away.
        injects: Whether the unit injects itself; one that gets credit alone has no such channel.
        keeps: Which part of what it injects beyond its use the unit keeps; the rest is for others.
        shared: Whether it gets percentages of what another unit injects, which contracts say.

    """

    __public_name__: ClassVar[str] = "BrazilianGeneration"

    type: Literal["gd1", "gd2", "gd3"]
    injects: bool = True
    keeps: Annotated[Decimal, Meta(ge=0, le=1)] = Decimal(1)
    shared: bool = False


@attrs.frozen(kw_only=True)
class RateParts:
    """The price of a posto, before taxes.

    Attributes:
        te: Energy, R$/kWh.
        tusd: Use of the grid, R$/kWh.
        fio_b: The part of it that is Fio B, R$/kWh.
        scee: The whole price of energy that is offset, where that has its own (SCEE), R$/kWh.
        demand: Use of the grid, R$/kW.

    """

    __public_name__: ClassVar[str] = "BrazilianRateParts"

    te: Decimal | None = None
    tusd: Decimal | None = None
    fio_b: Decimal | None = None
    scee: Decimal | None = None
    demand: Decimal | None = None


@attrs.frozen(kw_only=True)
class PostoHours:
    """When the postos of working days are, in local time.

    Attributes:
        ponta: From, to.
        intermediario: Beside it, of the tarifa branca alone; an hour before and one after without.

    """

    __public_name__: ClassVar[str] = "BrazilianPostoHours"

    ponta: Hours
    intermediario: tuple[Hours, ...] | None = None


@attrs.frozen(kw_only=True)
class Overrides:
    """Values that take the place of those in the tables.

    Attributes:
        rates: The prices of postos; `unico` where there is one.
        postos: When they are.
        icms: Its bands; `[{"rate": "0.18"}]` is one rate.
        icms_applies: Whether a rate is on `all` of the energy, or `each` on that of its band.
        form: How taxes are inside the price.
        pis_cofins: PIS and COFINS of months, by `2026-08`.
        pis: PIS of all months.
        cofins: COFINS of all months.
        flags: R$/MWh of months, in place of or beside those in the tables.
        minimum_kwh: The custo de disponibilidade.
        minimum_flag: Whether the bandeira is on it (`charged`), or on what was `metered`.
        social_flag: Whether the discounts of the tarifa social are on the bandeira too.
        unit_price_decimals: How many decimals the distributor's prices have.
        energy: Whether TE and TUSD are one line.
        flag: Whether the bandeira is inside the price.
        flag_share: Whether a line of some days of a bandeira has their share of the energy, or of
            the price.
        reactive: The price of reactive energy, R$/kvarh; TE of B1 without.
        losses_percent: The losses of the customer's transformer, in percent.
        discounts: The discount of incentivised energy by month, as the CCEE finds it.
        offset_taxes: Which taxes are on what is consumed and offset, where that has its own tariff.
        credit_taxes: Which taxes credits give back.
        components: What GD III pays of, R$/kWh, by ANEEL's names: `TUSD_FioA`.
        lighting: What the municipality charges: a charge of the kind `table` or `fixed`.

    """

    __public_name__: ClassVar[str] = "BrazilianOverrides"

    rates: dict[Posto, RateParts] = attrs.Factory(dict)
    postos: PostoHours | None = None
    icms: tuple[Band, ...] | None = None
    icms_applies: Literal["all", "each"] | None = None
    form: Form | None = None
    pis_cofins: dict[Month, "PisAndCofins"] = attrs.Factory(dict)
    pis: Share | None = None
    cofins: Share | None = None
    flags: dict[Month, Decimal] = attrs.Factory(dict)
    minimum_kwh: Annotated[Decimal, Meta(ge=0)] | None = None
    minimum_flag: Literal["charged", "metered"] | None = None
    social_flag: bool | None = None
    unit_price_decimals: Annotated[int, Meta(ge=0, le=12)] | None = None
    energy: Literal["together", "apart"] | None = None
    flag: Literal["inside", "line"] | None = None
    flag_share: Literal["energy", "rate"] | None = None
    reactive: Annotated[Decimal, Meta(ge=0)] | None = None
    losses_percent: Annotated[Decimal, Meta(ge=0, le=100)] | None = None
    discounts: dict[Month, Part] = attrs.Factory(dict)
    offset_taxes: tuple[Taxed, ...] | None = None
    credit_taxes: tuple[Taxed, ...] | None = None
    components: dict[str, Decimal] = attrs.Factory(dict)
    lighting: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class PisAndCofins:
    """PIS and COFINS of a month.

    Attributes:
        pis: A part of one.
        cofins: A part of one.

    """

    pis: Share
    cofins: Share


@attrs.frozen(kw_only=True)
class TariffRequest:
    """A customer of a distributor.

    Attributes:
        distributor: Its id, its name, or what ANEEL calls it.
        subgroup: By voltage and use: `B1` is a home, `A4` 2.3 to 25 kV.
        class_: What the customer is; by default what the subgroup says.
        modality: `convencional` or `branca` of group B, `verde` or `azul` of group A.
        phases: The connection, of group B.
        registers: Whether the meter has a register of each posto, `import.ponta` and so on, which
            are read once a bill, in place of intervals; `import` is all of them then.
        generation: Generation of one's own.
        municipality: Whose public lighting is charged; without one, nobody's.
        free_market: Whether energy is bought from others (ACL): TUSD alone is charged then.
        discount: The discount of incentivised energy, of group A: 0.5 is 50 %.
        contracted: The contracted demand of group A, kW: `unico` of verde, `ponta` and
            `fora_ponta` of azul; without it, contracts of the tariff say it by parameters.
        reactive: Whether group A is charged for `both` kinds of reactive energy, which must be
            metered; for `inductive` alone; or for `none`.
        metered: Whether group A is metered at `high` voltage, or at the `low` voltage of a
            transformer of its own: its losses are added.
        from_: The first day.
        overrides: Values that take the place of those in the tables.

    """

    __public_name__: ClassVar[str] = "BrazilianTariffRequest"

    distributor: Annotated[str, Meta(min_length=1, max_length=100)]
    subgroup: Subgroup
    class_: Class | None = None
    modality: Modality = "convencional"
    phases: Phases = "monofasico"
    registers: bool = False
    generation: Generation | None = None
    municipality: Annotated[str, Meta(max_length=100)] | None = None
    free_market: bool = False
    discount: Part = Decimal(0)
    contracted: dict[Posto, Annotated[Decimal, Meta(ge=0)]] | None = None
    reactive: Literal["both", "inductive", "none"] = "both"
    metered: Literal["high", "low"] = "high"
    from_: date
    overrides: Overrides = Overrides()


@attrs.frozen(kw_only=True)
class Parameter:
    """What a contract of the tariff has to say.

    Attributes:
        name: The name of the parameter.
        description: What it is.
        default: What is taken where the contract does not say it; without one it must.

    """

    __public_name__: ClassVar[str] = "BrazilianParameter"

    name: str
    description: str
    default: Any = None


@attrs.frozen(kw_only=True)
class Source:
    """Where a value of the tariff is from.

    Attributes:
        what: The value.
        source: The resolution, the law, the bill.
        from_: The first day of the version that has it.

    """

    __public_name__: ClassVar[str] = "BrazilianSource"

    what: str
    source: str
    from_: date


@attrs.frozen(kw_only=True)
class Assumption:
    """What is not sure, and how to say it better.

    Attributes:
        what: What is taken.
        source: Why.
        setting: Where the request says it otherwise.

    """

    __public_name__: ClassVar[str] = "BrazilianAssumption"

    what: str
    source: str
    setting: str


@attrs.frozen(kw_only=True)
class BrazilianTariff:
    """A tariff, made of the tables.

    Attributes:
        tariff: The document, for `PUT /v1/tariffs/{tariff}`.
        parameters: What contracts of it have to say.
        sources: Where its values are from.
        assumptions: What is not sure.

    """

    tariff: dict[str, Any]
    parameters: tuple[Parameter, ...]
    sources: tuple[Source, ...]
    assumptions: tuple[Assumption, ...]
