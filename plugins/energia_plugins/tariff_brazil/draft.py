"""A version of a tariff on its way: what is asked, for which days, and what is noted meanwhile."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Literal

import attrs

from energia import Invalid
from energia.pricing.dates import month_after
from energia_plugins.tariff_brazil.aneel import TariffRow
from energia_plugins.tariff_brazil.portuguese import day_text, folded
from energia_plugins.tariff_brazil.request import (
    Assumption,
    Class,
    Parameter,
    Posto,
    RateParts,
    Source,
    TariffRequest,
)
from energia_plugins.tariff_brazil.rows import (
    BillStyle,
    Distributor,
    SceeStyle,
    SourcedRow,
    in_force,
)
from energia_plugins.tariff_brazil.tables import Tables

__all__ = ["Draft", "Notes", "month_of", "months"]

KILO = Decimal(1000)
_NO_STYLE: Final = (
    "nenhuma conta com geração da distribuidora ou do estado: a energia injetada devolve o ICMS "
    "que a tabela do ICMS diz (exempt), em geral o da TE e não o da TUSD, e PIS e COFINS"
)
#: What a class is to ANEEL: its class and subclass.
CLASSES: dict[Class, tuple[str, str]] = {
    "residencial": ("residencial", "residencial"),
    "baixa_renda": ("residencial", "baixa renda"),
    "desconto_social": ("residencial", "residencial desconto social faixa 01"),
    "rural": ("rural", "nao se aplica"),
    "comercial": ("nao se aplica", "nao se aplica"),
    "industrial": ("nao se aplica", "nao se aplica"),
    "servico_publico": ("nao se aplica", "nao se aplica"),
    "poder_publico": ("nao se aplica", "nao se aplica"),
    "iluminacao_publica": ("iluminacao publica", "nao se aplica"),
}
_OF_SUBGROUPS: dict[str, Class] = {
    "B1": "residencial",
    "B2": "rural",
    "B4": "iluminacao_publica",
}
ANY = "nao se aplica"
#: Marks, where a row is from, what no bill and no file of ANEEL shows.
DOUBTFUL: Final = "[?]"


@attrs.define
class Notes:
    """What the answer says beside the tariff, each once.

    Attributes:
        parameters: What contracts have to say.
        sources: Where values are from.
        assumptions: What is not sure.

    """

    parameters: dict[str, Parameter] = attrs.Factory(dict)
    sources: dict[tuple[str, str], Source] = attrs.Factory(dict)
    assumptions: dict[tuple[str, str], Assumption] = attrs.Factory(dict)


@attrs.frozen(kw_only=True)
class Draft:
    """A version: some days of a tariff.

    Attributes:
        tables: The tables.
        request: The customer.
        distributor: The distributor.
        start: The first day.
        end: The day after the last; None is open.
        notes: What the answer says beside the tariff.

    """

    tables: Tables
    request: TariffRequest
    distributor: Distributor
    start: date
    end: date | None
    notes: Notes

    @property
    def class_(self) -> Class:
        """What the customer is."""
        return self.request.class_ or _OF_SUBGROUPS.get(self.request.subgroup, "comercial")

    @property
    def style(self) -> BillStyle:
        """How the distributor prints, as far as that is known or said."""
        known, said = self.distributor.bill or BillStyle(), self.request.overrides
        return attrs.evolve(
            known,
            unit_price_decimals=(
                known.unit_price_decimals
                if said.unit_price_decimals is None
                else said.unit_price_decimals
            ),
            energy=self._energy(said.energy or known.energy),
            flag=said.flag or known.flag,
            flag_share=said.flag_share or known.flag_share,
        )

    @property
    def scee(self) -> SceeStyle:
        """How the distributor bills what credits offset: as it does, or another of its state."""
        rows, here = self.tables.scee, self.distributor
        near = {one.id for one in self.tables.distributors.values() if one.state == here.state}
        own = in_force([row for row in rows if row.distributor == here.id], self.start)
        other = in_force([row for row in rows if row.distributor in near], self.start)
        return own or other or SceeStyle(distributor="", source=_NO_STYLE, sure=False)

    def _energy(self, style: Literal["together", "apart"]) -> Literal["together", "apart"]:
        """Return whether TE and TUSD are one line: credits of both may be taxed differently."""
        if self.request.generation is None:
            return style
        return "together" if self.scee.tariff == "scee" else "apart"

    def source(self, what: str, source: str) -> None:
        """Note where a value is from."""
        self.notes.sources.setdefault(
            (what, source), Source(what=what, source=source, from_=self.start)
        )

    def assume(self, what: str, source: str, setting: str) -> None:
        """Note what is not sure."""
        self.notes.assumptions.setdefault(
            (what, source), Assumption(what=what, source=source, setting=setting)
        )

    def rest_on(self, what: str, row: SourcedRow, setting: str) -> None:
        """Note which row a value is from, and that it is not sure where the row is not."""
        self.source(what, row.source)
        if not row.sure:
            self.assume(what, row.source, setting)

    def parameter(self, name: str, description: str, default: object = None) -> dict[str, object]:
        """Return a value that the contract says, and note it."""
        self.notes.parameters.setdefault(
            name, Parameter(name=name, description=description, default=default)
        )
        return {"parameter": name, **({} if default is None else {"default": default})}

    def rates(self, posto: Posto, subclass: str | None = None) -> RateParts:
        """Return what a kWh of a posto costs, `unico` where there is one; raises `Invalid`.

        Args:
            posto: The posto.
            subclass: ANEEL's name of the subclass, where it is not that of the class.

        """
        said = self.request.overrides.rates.get(posto, RateParts())
        row = (subclass and self.row(posto, subclass=subclass)) or self.row(posto)
        if row is None and said.tusd is None:
            raise unknown_tariff(self, posto)
        if row is not None:
            self.note(row)
        return RateParts(
            te=_first(said.te, row.te / KILO if row else None) or Decimal(0),
            tusd=_first(said.tusd, row.tusd / KILO if row else None),
            fio_b=said.fio_b,
            scee=said.scee,
        )

    def demand(self, posto: Posto) -> Decimal:
        """Return what a kW of a posto costs; raises `Invalid`."""
        row, said = self.row(posto, "kw"), self.request.overrides.rates.get(posto, RateParts())
        price = _first(said.demand, row.tusd if row else None)
        if price is None:
            raise unknown_tariff(self)
        if row is not None:
            self.note(row)
        return price

    def note(self, row: TariffRow) -> None:
        """Note where a row of ANEEL is from, and that it is not sure where it says so."""
        what = f"tarifa {_named(row)}"
        source = f"{row.resolution}: {row.source}".removeprefix(": ")
        self.source(what, source)
        if DOUBTFUL in row.source:
            posto = "unico" if row.posto == ANY else row.posto.replace(" ", "_")
            self.assume(what, source, f"/overrides/rates/{posto}")

    def row(
        self, posto: str, unit: str = "mwh", subclass: str | None = None, detail: str = ANY
    ) -> TariffRow | None:
        """Return ANEEL's row of a posto that is in force when the version begins."""
        found = matching(self, posto, unit, subclass, detail)
        rows = (row for row in found if row.start <= self.start)
        last = max(rows, key=lambda row: row.start, default=None)
        return last if last and (last.end is None or self.start <= last.end) else None


def matching(
    draft: Draft, posto: str, unit: str = "mwh", subclass: str | None = None, detail: str = ANY
) -> Iterator[TariffRow]:
    """Yield ANEEL's rows of a posto, of all years."""
    request = draft.request
    class_, of_class = CLASSES[draft.class_]
    subclass = folded(subclass) if subclass else of_class
    wanted = {"unico": ANY, "fora_ponta": "fora ponta"}.get(posto, posto)
    for row in draft.tables.tariffs_of(draft.distributor):
        if (
            row.subgroup == request.subgroup.lower()
            and row.modality == request.modality
            and row.posto == wanted
            and row.unit == unit
            and row.detail == detail
            and row.class_ in (class_, ANY)
            and row.subclass in (subclass, ANY)
        ):
            yield row


def unknown_tariff(draft: Draft, posto: Posto | None = None) -> Invalid:
    """Return the refusal of a day, or of a posto, of which no tariff is known."""
    request = draft.request
    if not request.overrides.rates and (wrong := _wrong_modality(draft)):
        return wrong
    known = sorted(
        {row.start for posto in ("unico", "fora_ponta") for row in matching(draft, posto)}
    )
    have = f"há a partir de {', '.join(map(day_text, known))}" if known else "não há nenhuma"
    where = "overrides.rates" + (f".{posto}" if request.overrides.rates and posto else "")
    message = (
        f"a tabela não tem tarifa {request.subgroup} {request.modality} ({draft.class_}) "
        f"de {draft.distributor.name} "
        f"em {day_text(draft.start)} ({have}): {_later(draft, known)}diga-a em {where}, "
        "ou atualize a tabela"
    )
    pointer = f"/{where.replace('.', '/')}" if request.overrides.rates else "/from"
    return Invalid.of("unknown_tariff", message, pointer)


def _later(draft: Draft, known: Sequence[date]) -> str:
    """Return the advice to begin on the first day that a tariff is known from, if one is ahead."""
    ahead = [day for day in known if day > draft.start]
    return f"comece em {day_text(ahead[0])}, " if ahead else ""


def _wrong_modality(draft: Draft) -> Invalid | None:
    """Return the refusal of what is never sold; None where it is, on other days or to others."""
    request, rows = draft.request, list(draft.tables.tariffs_of(draft.distributor))
    of_subgroup = {row.modality for row in rows if row.subgroup == request.subgroup.lower()}
    if request.modality in of_subgroup or not rows:
        return None
    name = draft.distributor.name
    if of_subgroup:
        have = f"{request.subgroup} é {' ou '.join(sorted(of_subgroup))}"
        message = f"a tabela não tem {request.subgroup} {request.modality} de {name}: {have}"
        return Invalid.of("unknown_tariff", message, "/modality")
    known = ", ".join(sorted({subgroup_text(row.subgroup) for row in rows}))
    message = f"a tabela não tem o subgrupo {request.subgroup} de {name}: há {known}"
    return Invalid.of("unknown_tariff", message, "/subgroup")


def subgroup_text(subgroup: str) -> str:
    """Return a subgroup as requests name it: `A3a`, `B1`."""
    return "A3a" if subgroup == "a3a" else subgroup.upper()


def _first(said: Decimal | None, known: Decimal | None) -> Decimal | None:
    return known if said is None else said


def _named(row: TariffRow) -> str:
    parts = (row.subgroup.upper(), row.modality, row.posto if row.posto != ANY else "", row.unit)
    return " ".join(part for part in parts if part)


def month_of(day: date) -> str:
    """Return the month of a day: `2026-08`."""
    return f"{day:%Y-%m}"


def months(start: date, end: date) -> Iterator[str]:
    """Yield the months of the days from *start* on, before *end*."""
    day = start.replace(day=1)
    while day < end:
        yield month_of(day)
        day = month_after(day)
