"""What a rate pays for energy that is exported."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from energia_plugins.tariff_urdb.context import Context
from energia_plugins.tariff_urdb.energy import scheduled
from energia_plugins.tariff_urdb.naming import names_of
from energia_plugins.tariff_urdb.notes import Notes, Record
from energia_plugins.tariff_urdb.schedules import Matrix, matrix
from energia_plugins.tariff_urdb.structures import Period, structure

#: The schemes, by how the source writes them.
_SCHEMES: Final[Mapping[str, dict[str, str]]] = {
    "net metering": {"scheme": "net_metering"},
    "net billing instantaneous": {"scheme": "net_billing"},
    "net billing hourly": {"scheme": "net_billing", "netting": "hour"},
    "buy all sell all": {"scheme": "buy_all_sell_all"},
}
_YES: Final = (True, 1, "1", "true", "True", "yes")


def export(rate: Record, context: Context) -> Iterator[dict[str, Any]]:
    """Yield what is paid for exports, where the rate tells."""
    scheme, at = _scheme(rate)
    quiet = Record(rate.data, rate.at, Notes(), rate.names, rate.used)  # told of already
    periods = structure(quiet, "energyratestructure") or ()
    when = matrix(quiet, "energy", len(periods)) if periods else None
    used = when.periods if when else ()
    prices = {index: _price(rate, periods[index]) for index in used}
    sold = any(price is not None for price in prices.values())
    if context.options.exports == "leave_out":
        if scheme or sold:
            message = "what exports earn is left out, as asked"
            rate.notes.warn(at, "exports_left_out", message)
        return
    if scheme is None and any(prices.values()):
        scheme = {"scheme": "net_billing"}
        message = "the source has prices for exports and no dgrules: net billing is taken"
        rate.notes.warn(at, "scheme_assumed", message)
    if scheme is None or when is None:
        return
    priced = {} if scheme["scheme"] == "net_metering" else _prices(rate, periods, when, prices)
    if priced is None:
        message = "the source has no price for what is exported: nothing is paid for it"
        rate.notes.warn(at, "no_sell_price", message)
        return
    _tell(rate, scheme, at, sold)
    yield {"kind": "export", "code": "export", **scheme, **priced}


def _scheme(rate: Record) -> tuple[dict[str, str] | None, str]:
    """Return the scheme that is stated, and where."""
    rules, metering, at = rate.get("dgrules"), rate.get("usenetmetering"), rate.pointer("dgrules")
    if rules not in (None, ""):
        text = " ".join(rules.lower().split()) if isinstance(rules, str) else ""
        if text in _SCHEMES:
            return _SCHEMES[text], at
        rate.notes.refuse(at, "unknown_rule", f"{rules!r} is no known rule; {_known()}")
        return None, at
    if metering in _YES:
        return _SCHEMES["net metering"], rate.pointer("usenetmetering")
    return None, at


def _known() -> str:
    return f"known are {', '.join(text.title() for text in _SCHEMES)}"


def _price(rate: Record, period: Period) -> Decimal | None:
    """Return the price of what is exported in a period: that of its first tier."""
    prices = [tier.sell for tier in period.tiers]
    if any(price not in (None, prices[0]) for price in prices[1:]):
        message = "tiers with other prices to sell at are not imported: that of the first is taken"
        rate.notes.warn(period.at, "not_imported", message)
    return prices[0]


def _prices(
    rate: Record, periods: Sequence[Period], when: Matrix, prices: Mapping[int, Decimal | None]
) -> dict[str, Any] | None:
    """Return the price of what is sold; None if there is none."""
    stated = {index: price for index, price in prices.items() if price is not None}
    if not stated:
        return None
    texts = {index: format(prices[index] or Decimal(0), "f") for index in when.periods}
    if len(set(texts.values())) == 1:
        return {"rate": next(iter(texts.values()))}
    names = names_of(rate, "energytoulabels", periods, when.periods)
    schedule = scheduled(rate, when, names, "energyweekdayschedule")
    return {"schedule": schedule, "rates": {names[index]: text for index, text in texts.items()}}


def _tell(rate: Record, scheme: Mapping[str, str], at: str, sold: bool) -> None:
    message = (
        "pricing needs readings of export: for a site that exports nothing, "
        "import with exports=leave_out"
    )
    rate.notes.warn(at, "needs_export", message)
    if sold and scheme["scheme"] == "net_metering":
        message = "with net metering the prices to sell at are not used; see `true_up` of export"
        rate.notes.warn(at, "sell_not_used", message)
