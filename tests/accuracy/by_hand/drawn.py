"""Random tariffs with readings and read days, each from a seed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any

import attrs

from tests.accuracy.by_hand import days
from tests.accuracy.by_hand.model import Price, Site

#: Half hours, three quarters, a day left out, changes at a minute past midnight and in Ramadan.
ZONES = (
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "Europe/Dublin",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Asia/Tehran",
)
_YEARS = (2008, 2026)
_PERIODS = ("peak", "shoulder", "night", "rest")
_WEEK = ("weekday", "weekend", "holiday", "mon", "wed", "sat", "sun", "all")

Charge = dict[str, Any]


@attrs.frozen
class Drawn:
    """A random tariff and what is priced by it.

    Attributes:
        seed: Draws the same again.
        tariff: The document.
        site: The readings and prices.
        bounds: The read days, as instants: bills are between them.

    """

    seed: int
    tariff: Mapping[str, Any]
    site: Site
    bounds: Sequence[int]

    @property
    def marks(self) -> set[str]:
        """What this one is a case of, to be counted."""
        marks = set()
        versions = self.tariff["versions"]
        for version in versions:
            for charge in version["charges"]:
                marks.add(charge["kind"])
                if charge["kind"] == "energy.tiered":
                    marks.add(f"tiers {charge['scope']}")
                if "ratchet" in charge:
                    marks.add("ratchet")
        if len(versions) > 1:
            marks.add("several versions")
        if len(self.bounds) > 2:
            marks.add("several bills")
        zone = self.site.zone
        all_days = days.days(zone, self.bounds[0], self.bounds[-1])
        if len(all_days) * 86_400 != self.bounds[-1] - self.bounds[0]:
            marks.add("change of the clock")
        if any((day.month, day.day) == (2, 29) for day in all_days):
            marks.add("leap day")
        return marks


def draw(seed: int) -> Drawn:
    """Draw a tariff with readings, from read day to read day."""
    rng = Random(seed)
    zone = rng.choice(ZONES)
    bounds = _read_days(rng, zone)
    start, end = bounds[0], bounds[-1]
    interval = rng.choice((900, 1800, 1800) if "Lord" in zone else (900, 1800, 3600, 3600))
    exports = rng.random() < 0.35
    roles = ("import", "export") if exports else ("import",)
    count = -(-(end - start) // interval)
    readings = {role: _readings(rng, count) for role in roles}
    if not exports and rng.random() < 0.1:
        # A net meter.
        readings["import"] = [value - rng.choice((0, value, 500)) for value in readings["import"]]
    is_dynamic = not exports and rng.random() < 0.3
    prices = {"spot": _prices(rng, start, end)} if is_dynamic else {}
    site = Site(zone, interval, start, readings, prices)
    tariff = {
        "name": f"drawn {seed}",
        "currency": rng.choice(("EUR", "BRL", "JPY", "BHD")),
        "timezone": zone,
        "versions": _versions(rng, site, bounds),
    }
    return Drawn(seed, tariff, site, bounds)


@cache
def _changes(zone: str, year: int) -> Sequence[date]:
    """Return the days of a year that do not have 24 hours, or do not exist."""
    listed = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    lengths = (
        days.midnight(zone, day + timedelta(days=1)) - days.midnight(zone, day) for day in listed
    )
    return [day for day, length in zip(listed, lengths, strict=True) if length != 86_400]


def _read_days(rng: Random, zone: str) -> list[int]:
    """Return the midnights between bills, often near a change of the clock or a leap day."""
    year = rng.randint(*_YEARS)
    near = [*_changes(zone, year), *([date(year, 2, 29)] if year % 4 == 0 else [])]
    first = date(year, 1, 1) + timedelta(days=rng.randrange(365))
    if near and rng.random() < 0.6:
        first = rng.choice(near) - timedelta(days=rng.randrange(30))
    lengths = [
        rng.choice((1, 2, 5, 9, 27, 28, 29, 30, 31, 32, 33, 61))
        for _ in range(rng.choice((1, 1, 1, 2, 3)))
    ]
    dates = [first]
    for length in lengths:
        dates.append(dates[-1] + timedelta(days=length))
    return sorted({days.midnight(zone, day) for day in dates} | {days.midnight(zone, dates[-1])})


def _readings(rng: Random, count: int) -> list[int]:
    largest = rng.choice((999, 50_000, 3_000_000, 3_000_000))
    pool = [rng.randrange(largest + 1) for _ in range(60)]
    pool += [0] * rng.choice((0, 20, 120)) + [pool[0]] * rng.choice((0, 200))
    return rng.choices(pool, k=count)


def _prices(rng: Random, start: int, end: int) -> list[Price]:
    step = rng.choice((900, 1800, 3600))
    first = start - start % 3600 - 3600
    return [
        Price(instant, instant + step, Fraction(rng.randrange(-5000, 40_000), 10**5))
        for instant in range(first, end + 2 * 3600, step)
    ]


def _versions(rng: Random, site: Site, bounds: Sequence[int]) -> list[dict[str, Any]]:
    all_days = days.days(site.zone, bounds[0], bounds[-1])
    number = min(rng.choice((1, 1, 2, 2, 3)), len(all_days))
    begins = [date(2000, 1, 1), *sorted(rng.sample(all_days[1:], number - 1))]
    shapes = _shapes(rng, site)
    versions: list[dict[str, Any]] = []
    for index, begin in enumerate(begins):
        version: dict[str, Any] = {
            "valid_from": begin.isoformat(),
            "holidays": sorted(day.isoformat() for day in rng.sample(all_days, min(2, number))),
            "rounding": _rounding(rng),
            "charges": _most(rng, [shape() for shape in shapes]),
        }
        if rng.random() < 0.2:
            version["weekend_days"] = rng.choice((["fri", "sat"], ["sun"]))
        if index + 1 < len(begins):
            version["valid_to"] = begins[index + 1].isoformat()
        versions.append(version)
    return versions


def _most(rng: Random, charges: list[Charge]) -> list[Charge]:
    """Leave out a charge now and then, as where one came with a later version."""
    return [one for one in charges if one["code"] in ("energy", "bank") or rng.random() < 0.95]


def _rounding(rng: Random) -> dict[str, Any]:
    rules: dict[str, Any] = {"mode": rng.choice(("half_up", "half_even", "down"))}
    if rng.random() < 0.4:
        rules["unit_price_decimals"] = rng.choice((2, 4, 5))
    if rng.random() < 0.5:
        rules["amount_decimals"] = rng.choice((0, 1, 2, 4))
    if rng.random() < 0.3:
        rules["level"] = "total"
    return rules


def _shapes(rng: Random, site: Site) -> list[Callable[[], Charge]]:
    """Return what draws the charges of each version: the same kinds, with other numbers."""
    scope = _Draw(rng, site)
    exports = "export" in site.readings
    shapes = [rng.choice((scope.flat(), scope.time_of_use(), *[scope.tiered(exports)] * 3))]
    if exports:
        shapes.append(scope.net_metering())
    if site.prices:
        shapes.append(scope.dynamic())
    shapes += [scope.demand()] * (rng.random() < 0.5)
    shapes += [scope.fixed()] * (rng.random() < 0.6)
    last = [scope.percent(), scope.minimum(), scope.tax()]
    rng.shuffle(last)
    return shapes + last[: rng.choice((0, 1, 2, 3))]


def number(rng: Random, low: int, high: int, decimals: int) -> str:
    """Return a decimal between two whole numbers."""
    digits = rng.randint(low * 10**decimals, high * 10**decimals)
    sign, digits = ("-", -digits) if digits < 0 else ("", digits)
    whole, rest = divmod(digits, 10**decimals)
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"


@attrs.frozen
class _Draw:
    """Draws shapes of charges: what stays in all versions is drawn once, numbers for each."""

    rng: Random
    site: Site

    def rate(self) -> str:
        """Return a price of a kWh, seldom below zero."""
        low = -1 if self.rng.random() < 0.05 else 0
        return number(self.rng, low, 1, self.rng.choice((2, 5, 6)))

    def chance(self, likely: float) -> bool:
        """Return true so often."""
        return self.rng.random() < likely

    def schedule(self) -> dict[str, Any]:
        """Return periods by season, day and time of day."""
        rng = self.rng
        rules = []
        for period in rng.sample(_PERIODS[:3], rng.choice((1, 2, 3))):
            rule: dict[str, Any] = {"period": period}
            if self.chance(0.7):
                rule["days"] = rng.sample(_WEEK, rng.choice((1, 2)))
            if self.chance(0.8):
                rule["from"], rule["to"] = rng.sample(
                    ("00:00", "01:30", "06:00", "07:15", "09:37", "17:30", "20:00", "23:45"), 2
                )
            if self.chance(0.3):
                rule["season"] = rng.choice(
                    (
                        {"from": "04-01", "to": "09-30"},
                        {"from": "11-15", "to": "03-14"},
                        {"from": "02-29", "to": "06-10"},
                    )
                )
            rules.append(rule)
        clock = "local" if self.chance(0.8) else rng.choice(("+00:00", "-03:30", "+10:30"))
        return {"default": "rest", "rules": rules, "clock": clock}

    def seasons(self) -> dict[str, Any]:
        """Return two seasons that change at midnight."""
        first = self.rng.randrange(1, 13)
        season = {"from": f"{first:02}-11", "to": f"{(first + 4) % 12 + 1:02}-20"}
        return {"default": "rest", "rules": [{"period": "season", "season": season}]}

    def flat(self) -> Callable[[], Charge]:
        """Draw energy at one rate, or at one in two parts."""
        base = {"kind": "energy.flat", "code": "energy"}
        if self.chance(0.5):
            return lambda: {**base, "components": {"supply": self.rate(), "wires": self.rate()}}
        return lambda: {**base, "rate": self.rate()}

    def time_of_use(self) -> Callable[[], Charge]:
        """Draw energy by period; each version has a schedule of its own."""
        one = self.chance(0.5)

        def shape() -> Charge:
            schedule = self.schedule()
            rates: dict[str, Any] = {period: self.rate() for period in periods(schedule)}
            if one:
                rates = {
                    period: {"components": {"supply": rate, "wires": self.rate()}}
                    for period, rate in rates.items()
                }
            return {
                "kind": "energy.time_of_use",
                "code": "energy",
                "schedule": schedule,
                "rates": rates,
            }

        return shape

    def dynamic(self) -> Callable[[], Charge]:
        """Draw energy at a price of its own in each slot."""
        bounded = self.chance(0.5)

        def shape() -> Charge:
            charge = {
                "kind": "energy.dynamic",
                "code": "spot",
                "series": "spot",
                "multiplier": number(self.rng, 0, 2, 3),
                "adder": number(self.rng, -1, 1, 3),
            }
            if bounded:
                charge |= {"floor": number(self.rng, -1, 0, 2), "cap": number(self.rng, 0, 1, 2)}
            return charge

        return shape

    def tiered(self, bill_only: bool) -> Callable[[], Charge]:
        """Draw tiers in one of the four scopes; for a bank, those that go from bill to bill."""
        rng = self.rng
        scopes = ["pooled_prorated", "per_period", "whole_band", "pooled_chronological"]
        scope = rng.choice(scopes[:3] if bill_only else scopes)
        reset = (
            "bill" if bill_only else rng.choice(("bill", "bill", "day", "month", "quarter", "year"))
        )
        base: Charge = {"kind": "energy.tiered", "code": "energy", "scope": scope, "reset": reset}
        if scope == "pooled_chronological":
            base["proration"] = "days"
        elif self.chance(0.4):
            base["proration"] = rng.choice(("days", "none"))
        goes_on = base.get("proration", "none" if reset in ("quarter", "year") else "days")
        if goes_on == "days" and self.chance(0.3):
            base["unit"] = "kWh/day"
        form = rng.choice(("one", "periods", "seasons"))
        schedule = self.seasons() if form == "seasons" else self.schedule()
        largest = max(1, sum(self.site.readings["import"]) // 10**6)

        def shape() -> Charge:
            bounds = self._bounds(base, largest)
            if form == "one":
                return {**base, "tiers": self._tiers(bounds)}
            rates = {}
            for period in periods(schedule):
                if form == "seasons" or scope == "per_period":
                    bounds = self._bounds(base, largest)
                rates[period] = self._tiers(bounds)
            return {**base, "schedule": schedule, "rates": rates}

        return shape

    def _bounds(self, base: Charge, largest: int) -> list[str]:
        if base.get("unit") == "kWh/day" or base["reset"] == "day":
            count = max(1, (len(self.site.readings["import"]) * self.site.interval) // 86_400)
            largest = max(1, largest // count)
        drawn = {number(self.rng, 0, largest, 2) for _ in range(self.rng.choice((1, 2, 3)))}
        return sorted(drawn - {"0.00"}, key=Fraction) or ["1"]

    def _tiers(self, bounds: Sequence[str]) -> list[dict[str, Any]]:
        return [{"up_to": bound, "rate": self.rate()} for bound in bounds] + [{"rate": self.rate()}]

    def net_metering(self) -> Callable[[], Charge]:
        """Draw a bank of exports."""
        rng = self.rng
        base: Charge = {"kind": "export", "code": "bank", "scheme": "net_metering"}
        if self.chance(0.2):
            base["rollover"] = "none"
            return lambda: dict(base)
        if self.chance(0.3):
            base["expires_after"] = rng.choice((1, 2, 12))
        if self.chance(0.3):
            month = rng.randint(1, 12)
            base["true_up"] = {"month": month, "rate": "0.0275"}
        if self.chance(0.3):
            base["credited"] = {"wires": "0.85"}
        return lambda: dict(base)

    def demand(self) -> Callable[[], Charge]:
        """Draw demand."""
        rng = self.rng
        intervals = {900: ("PT15M", "PT30M", "PT1H"), 1800: ("PT30M", "PT1H"), 3600: ("PT1H",)}
        listed = intervals[self.site.interval]
        if "Lord" in self.site.zone:
            listed = listed[:-1]
        base: Charge = {"kind": "demand", "code": "demand", "interval": rng.choice(listed)}
        base["per"] = rng.choice(("month", "month", "day"))
        base["reset"] = rng.choice(("bill", "month"))
        if self.chance(0.4):
            base["statistic"] = {"top": rng.choice((1, 3)), "distinct_days": self.chance(0.5)}
            if self.chance(0.3):
                base["statistic"] |= {"months": 3, "of_months": rng.choice(("max", "mean"))}
        ratchet = self.chance(0.4) and "months" not in base.get("statistic", {})
        if ratchet:
            base["ratchet"] = {
                "percent": str(rng.choice((50, 80, 85))),
                "back": rng.choice((1, 3, 11)),
                "current_in_full": self.chance(0.7),
                "across_periods": self.chance(0.2),
            }
            if self.chance(0.3):
                base["ratchet"]["months"] = sorted(rng.sample(range(1, 13), 5))
        elif self.chance(0.3):
            base["across_versions"] = "each"
        if self.chance(0.2):
            base["minimum"] = number(rng, 0, 5, 1)
        form = rng.choice(("rate", "tiers", "band", "periods", "periods"))

        def shape() -> Charge:
            if form == "rate":
                return {**base, "rate": number(rng, 0, 9, 3)}
            if form == "tiers":
                return {**base, "tiers": self._steps(), "last": rng.choice(("open", "closed"))}
            if form == "band":
                tiers = [
                    {"up_to": "2", "amount": "7.50", "rate": "0"},
                    {"rate": number(rng, 0, 9, 3)},
                ]
                return {**base, "tiers": tiers, "scope": "whole_band"}
            schedule = self.schedule()
            rates = {period: number(rng, 0, 9, 3) for period in periods(schedule)}
            return {**base, "schedule": schedule, "rates": rates}

        return shape

    def _steps(self) -> list[dict[str, str]]:
        bounds = sorted({number(self.rng, 1, 9, 1) for _ in range(2)}, key=Fraction)
        return [{"up_to": bound, "rate": number(self.rng, 0, 9, 3)} for bound in bounds]

    def fixed(self) -> Callable[[], Charge]:
        """Draw a standing charge."""
        rng = self.rng
        base: Charge = {"kind": "fixed", "code": "fixed", "tags": ["standing"]}
        base["per"] = rng.choice(("day", "month", "month", "year", "bill", "meter"))
        if self.chance(0.6) and base["per"] in ("month", "year"):
            base["proration"] = rng.choice(("none", "month_days", "annual_days"))
        if self.chance(0.2):
            base |= {"meters": 3, "additional": "3.10"}
        return lambda: {**base, "amount": number(rng, 0, 30, 2)}

    def percent(self) -> Callable[[], Charge]:
        """Draw a discount or a surcharge."""
        rng = self.rng
        base: Charge = {"kind": "percent", "code": "percent"}
        base["form"] = rng.choice(("line", "line", "line_each", "inside"))
        if self.chance(0.3):
            base["of"] = {"charges": ["energy"]}
        if self.chance(0.2):
            base["cap"] = "5"
        banded = self.chance(0.3)

        def shape() -> Charge:
            if not banded:
                return {**base, "percent": number(rng, -20, 20, 1)}
            tiers = [
                {"up_to": "80.5", "percent": number(rng, -60, 0, 0)},
                {"up_to": "300", "percent": number(rng, -20, 20, 1)},
                {"percent": number(rng, -20, 20, 1)},
            ]
            return {**base, "tiers": tiers, "scope": rng.choice(("blocks", "whole_band"))}

        return shape

    def minimum(self) -> Callable[[], Charge]:
        """Draw the least of a bill."""
        rng = self.rng
        base: Charge = {"kind": "minimum", "code": "minimum"}
        base["per"] = rng.choice(("bill", "month", "day"))
        base["form"] = rng.choice(("top_up", "top_up", "replace"))
        if self.chance(0.3):
            base["of"] = {"without_tags": ["standing"]}
        if base["per"] == "month" and self.chance(0.5):
            base["proration"] = rng.choice(("none", "annual_days"))
        return lambda: {**base, "amount": number(rng, 0, 60 if base["per"] != "day" else 4, 2)}

    def tax(self) -> Callable[[], Charge]:
        """Draw taxes in the price or on top of it."""
        rng = self.rng
        base: Charge = {"kind": "tax", "code": "tax"}
        base["form"] = rng.choice(("add_on", "add_on_compound", "inside_product", "inside_sum"))
        if self.chance(0.4):
            base["show"] = rng.choice(("price", "lines"))
        if self.chance(0.3):
            base["of"] = {"without_tags": ["standing"]}
        days_of_bill = days.days(
            self.site.zone,
            self.site.start,
            self.site.start + self.site.interval * len(self.site.readings["import"]),
        )

        def shape() -> Charge:
            taxes: list[Charge] = [
                {"name": "vat", "rate": f"0.{rng.randrange(30):02}"},
                {"name": "levy", "rate": "0.0365", "group": "levies"},
                {"name": "duty", "rate": "0.011", "group": "levies", "without_tags": ["standing"]},
            ]
            if self.chance(0.3):
                taxes[1]["from"] = rng.choice(days_of_bill).isoformat()
            across = rng.choice(("days", "start", "end"))
            return {**base, "taxes": taxes[: rng.choice((1, 2, 3))], "across": across}

        return shape


def periods(schedule: Mapping[str, Any]) -> list[str]:
    """Return the periods of a schedule."""
    return list(dict.fromkeys([*(rule["period"] for rule in schedule["rules"]), "rest"]))
