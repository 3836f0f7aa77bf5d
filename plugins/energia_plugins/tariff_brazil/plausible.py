"""What no customer of a distributor is and no bill has: refused here, before it makes a price.

A unit that is a thousand times another one, or a percent in place of a part, would be priced
without a word otherwise, and the bill would be wrong by as much.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import attrs

from energia import Fault, Invalid, structure
from energia_plugins.tariff_brazil.portuguese import number_text
from energia_plugins.tariff_brazil.request import Overrides, RateParts, TariffRequest
from energia_plugins.tariff_fixed import Fixed
from energia_plugins.tariff_table import TableCharge

__all__ = ["refuse_implausible"]

#: R$/kWh that no price reaches, as tables have none of 10.000 R$/MWh; and R$/kW.
_MOST_KWH: Final = Decimal(10)
_MOST_KW: Final = Decimal(1000)
_SOCIAL: Final = ("baixa_renda", "desconto_social")
#: The kinds of charge that municipalities have.
_LIGHTING: Final = {"fixed": Fixed, "table": TableCharge}


def refuse_implausible(request: TariffRequest) -> None:
    """Refuse what cannot be meant, all of it at once; raises `Invalid`."""
    said = request.overrides
    faults = [*_class(request), *_rates(said), *_icms(said), *_flags(said), *_lighting(said)]
    if faults:
        raise Invalid.of_all(faults)


def _class(request: TariffRequest) -> Iterator[Fault]:
    if request.class_ in _SOCIAL and request.subgroup != "B1":
        message = f"a tarifa social é de residências, do subgrupo B1, e não do {request.subgroup}"
        yield Fault("wrong_class", message, "/class")


def _rates(said: Overrides) -> Iterator[Fault]:
    """Yield prices that are of a MWh, where those of a kWh are asked for."""
    prices: dict[str, Decimal | None] = {
        f"rates/{posto}/{name}": value
        for posto, parts in said.rates.items()
        for name, value in attrs.asdict(parts, filter=_is_of_energy).items()
    }
    prices["reactive"] = said.reactive
    prices |= {f"components/{name}": value for name, value in said.components.items()}
    for name, value in prices.items():
        if value is not None and value > _MOST_KWH:
            right = number_text(value / 1000)
            message = f"{number_text(value)} R$/kWh parece ser R$/MWh: em R$/kWh seria {right}"
            yield Fault("implausible_price", message, f"/overrides/{name}")
    for posto, parts in said.rates.items():
        if parts.demand is not None and parts.demand > _MOST_KW:
            message = f"{number_text(parts.demand)} R$/kW: nenhuma demanda custa tanto"
            yield Fault("implausible_price", message, f"/overrides/rates/{posto}/demand")


def _is_of_energy(attribute: "attrs.Attribute[Any]", _: object) -> bool:
    return attribute.name != attrs.fields(RateParts).demand.name


def _icms(said: Overrides) -> Iterator[Fault]:
    for index, band in enumerate(said.icms or ()):
        if not 0 <= band.rate < 1:
            part = number_text(band.rate / 100).replace(",", ".")
            message = f"a alíquota é uma parte de um: {number_text(band.rate)} % é {part}"
            yield Fault("out_of_range", message, f"/overrides/icms/{index}/rate")


def _flags(said: Overrides) -> Iterator[Fault]:
    """Yield flags of a kWh, where those of a MWh are asked for, as ANEEL says them."""
    for month, price in said.flags.items():
        if 0 < price < 1:
            right = number_text(price * 1000, 2)
            message = (
                f"a bandeira é em R$/MWh, e {number_text(price)} parece ser R$/kWh: seria {right}"
            )
            yield Fault("implausible_price", message, f"/overrides/flags/{month}")


def _lighting(said: Overrides) -> Iterator[Fault]:
    """Yield the faults of the municipality's charge, where the request has them."""
    charge = dict(said.lighting or {})
    kind = _LIGHTING.get(str(charge.pop("kind", "")))
    if kind is None or any(_is_parameter(value) for value in charge.values()):
        return
    try:
        structure(charge, kind)
    except Invalid as error:
        for fault in error.faults:
            yield attrs.evolve(fault, pointer=f"/overrides/lighting{fault.pointer or ''}")


def _is_parameter(value: object) -> bool:
    return isinstance(value, dict) and "parameter" in value
