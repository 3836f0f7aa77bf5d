"""The charges of a plan."""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from energia import ImportOptions
from energia_plugins.tariff_open_energy.model import Band, Interval, Plan, Rates, Season

_OTHER: Final = re.compile(r"[^A-Za-z0-9_-]+")


def charges(plan: Plan, options: ImportOptions, *, exports: bool) -> Iterator[dict[str, Any]]:
    """Yield what is charged, and what is paid for exports if *exports*."""
    seasons = plan.seasons or []
    yield from _energy(plan.import_, seasons, options)
    if plan.supply and plan.supply.daily:
        amount = format(plan.supply.daily, "f")
        yield {"kind": "fixed", "code": "supply", "amount": amount, "per": "day"}
    if exports and plan.export:
        yield {"kind": "export", "code": "export", "scheme": "net_billing"} | _sold(
            plan.export, seasons
        )


def _energy(
    rates: Rates, seasons: Sequence[Season], options: ImportOptions
) -> Iterator[dict[str, Any]]:
    if not rates.bands or not rates.schedule:
        yield {
            "kind": "energy.flat",
            "code": "energy",
            "rate": format(rates.flatRate or Decimal(0), "f"),
        }
        return
    schedule, prices = _timed(rates.bands, rates.schedule, seasons)
    tiers = {_id(band.id): _tiers(band) for band in rates.bands if band.tiers}
    if not tiers:
        kind = {"kind": "energy.time_of_use", "code": "energy"}
        yield kind | {"schedule": schedule, "rates": _texts(prices)}
        return
    stepped = {name: tiers.get(name, [{"rate": text}]) for name, text in _texts(prices).items()}
    scope = options.tier_scope or "per_period"
    kind = {"kind": "energy.tiered", "code": "energy", "scope": scope}
    yield kind | {"schedule": schedule, "rates": stepped}


def _sold(rates: Rates, seasons: Sequence[Season]) -> dict[str, Any]:
    if not rates.bands or not rates.schedule:
        return {"rate": format(rates.flatRate or Decimal(0), "f")}
    schedule, prices = _timed(rates.bands, rates.schedule, seasons)
    return {"schedule": schedule, "rates": _texts(prices)}


def _timed(
    bands: Sequence[Band], schedule: Sequence[Interval], seasons: Sequence[Season]
) -> tuple[dict[str, Any], dict[str, Decimal]]:
    """Return the schedule and the rates of its periods: bands, or bands in a season.

    Intervals are painted one after the other, so the last one comes first in the rules.
    """
    of_id = {band.id: band for band in bands}
    months = {season.id: season for season in seasons}
    rules, prices = list[dict[str, Any]](), dict[str, Decimal]()
    for one in reversed(schedule):
        band = of_id[one.band]
        for season, rate in (band.seasonRates or {}).items():
            name = _id(f"{band.id}_{season}")
            rules.append(_rule(one, name) | {"season": _season(months[season])})
            prices[name] = rate
        rules.append(_rule(one, _id(band.id)))
        prices[_id(band.id)] = band.rate
    return {"rules": rules}, prices


def _rule(one: Interval, period: str) -> dict[str, Any]:
    days: list[str] = list(one.days) if isinstance(one.days, list) else [one.days]
    if days == ["weekend"]:
        days = ["weekend", "holiday"]
    return {"period": period, "days": days, "from": one.from_, "to": one.to}


def _season(season: Season) -> dict[str, str]:
    end = monthrange(2000, season.to + 1)[1]  # a leap year: February ends on its 29th
    return {"from": f"{season.from_ + 1:02}-01", "to": f"{season.to + 1:02}-{end:02}"}


def _tiers(band: Band) -> list[dict[str, str]]:
    return [
        ({} if tier.upTo is None else {"up_to": format(tier.upTo, "f")})
        | {"rate": format(tier.rate, "f")}
        for tier in band.tiers or ()
    ]


def _texts(prices: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: format(rate, "f") for name, rate in prices.items()}


def _id(text: str) -> str:
    return _OTHER.sub("_", text)[:64] or "band"
