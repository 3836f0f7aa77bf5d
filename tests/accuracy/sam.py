"""Options of the System Advisor Model that no rate has, put onto an imported tariff."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

#: The units of tiers in `ur_ec_tou_mat`.
_UNITS = ("kWh", "kWh/kW", "kWh daily", "kWh/kW daily")
_ENDLESS = Decimal(10) ** 30


def rate(inputs: Mapping[str, Any], scale: int = 1) -> dict[str, Any]:
    """Return SAM's matrices as a rate of the rate database, whose names they have elsewhere.

    It is for usage that is *scale* times SAM's, whose loads have more digits than a micro-kWh.
    """
    found: dict[str, Any] = {
        "energyratestructure": _structure(inputs["ur_ec_tou_mat"], scale),
        "energyweekdayschedule": _schedule(inputs["ur_ec_sched_weekday"]),
        "energyweekendschedule": _schedule(inputs["ur_ec_sched_weekend"]),
        "fixedchargefirstmeter": inputs.get("ur_monthly_fixed_charge", 0),
        "mincharge": inputs.get("ur_monthly_min_charge", 0),
        "annualmincharge": inputs.get("ur_annual_min_charge", 0),
    }
    if inputs.get("ur_dc_enable"):
        found |= {
            "demandratestructure": _structure(inputs["ur_dc_tou_mat"], scale),
            "demandweekdayschedule": _schedule(inputs["ur_dc_sched_weekday"]),
            "demandweekendschedule": _schedule(inputs["ur_dc_sched_weekend"]),
            "flatdemandstructure": _structure(inputs["ur_dc_flat_mat"], scale),
            "flatdemandmonths": list(range(12)),
        }
    return found


def _structure(matrix: Sequence[Sequence[Any]], scale: int) -> list[list[dict[str, Any]]]:
    """Return rows [period, tier, max, (unit,) price(, sell)] as periods of tiers."""
    periods: dict[int, list[dict[str, Any]]] = {}
    for row in matrix:
        tier: dict[str, Any] = {"rate": Decimal(row[-1]) / scale}
        hours_of_use = False
        if len(row) > 4:  # energy
            hours_of_use = "/kW" in _UNITS[int(row[3])]
            price, sell = Decimal(row[4]) / scale, Decimal(row[5]) / scale
            tier = {"unit": _UNITS[int(row[3])], "rate": price, "sell": sell}
        if Decimal(row[2]) < _ENDLESS:
            tier["max"] = Decimal(row[2]) * (1 if hours_of_use else scale)
        periods.setdefault(int(row[0]), []).append(tier)
    return [periods[period] for period in sorted(periods)]


def _schedule(matrix: Sequence[Sequence[Any]]) -> list[list[int]]:
    return [[int(period) - 1 for period in row] for row in matrix]


def with_exports(body: dict[str, Any], inputs: Mapping[str, Any], scale: int = 1) -> dict[str, Any]:
    """Return the tariff with what SAM's metering option pays for exports, before minimums.

    What is paid for a bank comes after the minimums, which do not look at it.
    """
    (version,) = body["versions"]
    charges = [one for one in version["charges"] if one["kind"] != "export"]
    imported = [one for one in version["charges"] if one["kind"] == "export"]
    energy = [one for one in charges if one["code"] == "energy"]
    rest = [one for one in charges if one["code"] != "energy"]
    for one in rest:
        if one["kind"] == "minimum":
            one["of"] = {"without_tags": ["true_up"]}
    export = _export(inputs, _price(inputs, imported, scale), scale)
    return {**body, "versions": [{**version, "charges": [*energy, export, *rest]}]}


def _price(
    inputs: Mapping[str, Any], imported: Sequence[dict[str, Any]], scale: int
) -> dict[str, Any]:
    """Return the price of what is sold: of the rate, of SAM's tiers, or that of buying."""
    if inputs.get("ur_sell_eq_buy"):
        return {"like_import": True}
    ladders = _sold(inputs.get("ur_ec_tou_mat", ()), scale)
    sold = any(Decimal(one["rate"]) for ladder in ladders.values() for one in ladder)
    if sold and any(len(ladder) > 1 for ladder in ladders.values()):
        return {"tiers": next(iter(ladders.values()))}
    names = ("rate", "rates", "schedule")
    return {name: one[name] for one in imported for name in names if name in one} or {"rate": "0"}


def _sold(matrix: Sequence[Sequence[Any]], scale: int) -> dict[int, list[dict[str, str]]]:
    ladders: dict[int, list[dict[str, str]]] = {}
    for row in matrix:
        bound = {"up_to": _text(Decimal(row[2]) * scale)} if Decimal(row[2]) < _ENDLESS else {}
        price = _text(Decimal(row[5]) / scale)
        ladders.setdefault(int(row[0]), []).append({**bound, "rate": price})
    return ladders


def _text(number: Decimal) -> str:
    return format(number, "f")


def _export(inputs: Mapping[str, Any], price: dict[str, Any], scale: int) -> dict[str, Any]:
    month = int(inputs.get("ur_nm_credit_month", 11)) + 1
    year_end = _text(Decimal(inputs.get("ur_nm_yearend_sell_rate", 0)) / scale)
    pay = "credit" if inputs.get("ur_nm_credit_rollover") else "cash"
    whole = "rates" in price
    plain = {name: value for name, value in price.items() if name != "schedule" or whole}
    options: tuple[dict[str, Any], ...] = (
        {
            "scheme": "net_metering",
            "true_up": {"month": month, "rate": year_end, "basis": "net", "pay": pay},
        },
        {"scheme": "net_metering", "rollover": "money", "true_up": {"month": month}, **plain},
        {"scheme": "net_billing", **plain},
        {
            "scheme": "net_billing",
            "rollover": "money",
            "apply": "this_bill" if inputs.get("ur_nb_apply_credit_current_month") else "next_bill",
            "true_up": {
                "month": month,
                "pay": "lost" if inputs.get("ur_nb_credit_expire") else "cash",
            },
            **plain,
        },
        {"scheme": "buy_all_sell_all", **plain},
    )
    option = int(inputs.get("ur_metering_option", 0))
    return {"kind": "export", "code": "export", **options[option]}


def seasonal(body: dict[str, Any]) -> dict[str, Any]:
    """Return the tariff with energy of a season's end used in the next season's like period.

    SSC matches the times of day where periods change with the season.
    """
    (version,) = body["versions"]
    for one in version["charges"]:
        if one["kind"] == "export" and one["scheme"] == "net_metering" and not one.get("rollover"):
            pairs = {"period_1": "period_0", "period_2": "period_3", "period_3": "period_2"}
            one["becomes"] = pairs
    return body


def flows(
    load: Sequence[int], generation: Sequence[int], option: int
) -> tuple[list[int], list[int]]:
    """Return import and export: what crosses the meter; for option 4 two meters."""
    pairs = list(zip(load, generation, strict=True))
    if option == 4:
        return [a - min(g, 0) for a, g in pairs], [max(g, 0) for _, g in pairs]
    return [max(a - g, 0) for a, g in pairs], [max(g - a, 0) for a, g in pairs]


def with_ratchet(body: dict[str, Any], inputs: Mapping[str, Any], scale: int = 1) -> dict[str, Any]:
    """Return the tariff with SAM's billing demand: lookback percentages and a least demand."""
    percentages = inputs["ur_billing_demand_lookback_percentages"]
    ratchet = {
        "percent": [format(Decimal(row[0]), "f") for row in percentages],
        "back": int(inputs["ur_billing_demand_lookback_period"]),
        "current_in_full": [bool(row[1]) for row in percentages],
    }
    least = Decimal(inputs.get("ur_billing_demand_minimum", 0)) * scale
    own = {"ratchet": ratchet} | ({"minimum": format(least, "f")} if least else {})
    (version,) = body["versions"]
    charges = [dict(_ratcheted(one, own)) for one in version["charges"]]
    return {**body, "versions": [{**version, "charges": charges}]}


def _ratcheted(charge: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from charge.items()
    if charge["kind"] == "demand":
        yield from own.items()
    elif "demand" in charge:
        yield "demand", {**charge["demand"], **own}


def peaks(inputs: Mapping[str, Any], code: str, scale: int = 1) -> dict[str, Any]:
    """Return the peaks of the year before, as the state of the charge *code*."""
    given = inputs.get("ur_yearzero_usage_peaks") or [0] * 12
    texts = [_text(max(Decimal(peak), Decimal(0)) * scale) for peak in given]
    return {code: {"peaks": {f"2017-{at:02}": text for at, text in enumerate(texts, 1)}}}
