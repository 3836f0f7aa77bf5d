"""What the figures are of: a meter, its contract, its tariff, and the month that has readings."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs

from energia.errors import EnergiaError
from energia_plugins.console.overview.forecast import WorkingDays
from energia_plugins.console.overview.windows import Month, newest
from energia_plugins.console.page import View

Json = Mapping[str, Any]
#: What a parameter of a contract is called in a charge.
_PARAMETER: Final = "parameter"


@attrs.frozen
class Demand:
    """What is contracted, in kW.

    Attributes:
        contracted: Of each period by its name; of all of them by an empty one.
        tolerance: The percentage above it that costs nothing more; None where nothing does.
        code: The charge's code.

    """

    contracted: Mapping[str, float]
    tolerance: float | None
    code: str

    @property
    def limit(self) -> float:
        """The highest that is contracted."""
        return max(self.contracted.values())

    @property
    def with_tolerance(self) -> float:
        """Up to where nothing more is paid."""
        return self.limit * (1 + (self.tolerance or 0) / 100)


@attrs.frozen(eq=False)
class Subject:
    """What the figures are of.

    Attributes:
        site: The site.
        meter: The meter.
        channel: The channel of what is taken from the grid.
        contract: The contract of the month; None without one, or where it may not be seen.
        tariff: Its tariff.
        readings: Those of the month.
        month: The month.
        now: When the page was asked for.

    """

    site: Json
    meter: Json
    channel: Json
    contract: Json | None
    tariff: Json | None
    readings: Json
    month: Month
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        """The clock of the site."""
        return ZoneInfo(self.site["timezone"])

    @property
    def currency(self) -> str:
        """What is paid in."""
        return str((self.tariff or self.site)["currency"])

    @property
    def version(self) -> Json | None:
        """The version of the tariff that is in force when the readings end."""
        day = (self.month.until - timedelta(seconds=1)).date().isoformat()
        versions = self.tariff["versions"] if self.tariff else ()
        inside = (one for one in versions if one["valid_from"] <= day < one.get("valid_to", "9"))
        return next(inside, None)

    @property
    def working(self) -> WorkingDays:
        """Which days are alike."""
        return WorkingDays.of(self.version)

    @property
    def demand(self) -> Demand | None:
        """What is contracted, if anything is."""
        charges: Sequence[Json] = (self.version or {}).get("charges", ())
        for charge in charges:
            if charge["kind"] == "demand.contracted":
                return self._demand(charge)
        return None

    def _demand(self, charge: Json) -> Demand | None:
        stated = self._filled(charge.get("contracted"))
        by_period = stated if isinstance(stated, Mapping) else {"": stated}
        numbers = {name: _number(self._filled(value)) for name, value in by_period.items()}
        known = {name: value for name, value in numbers.items() if value}
        overrun = charge.get("overrun")
        percent = _number(self._filled(overrun.get("tolerance_percent"))) if overrun else None
        return Demand(known, percent, charge["code"]) if known else None

    def _filled(self, value: Any) -> Any:
        """Return a field of a charge, which the contract may say."""
        if isinstance(value, Mapping) and _PARAMETER in value and self.contract is not None:
            given = self.contract["parameters"].get(value[_PARAMETER])
            return given if given is not None else value.get("default")
        return value


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


async def subject_of(view: View, site: Json, meter: Json, last: datetime | None) -> Subject | None:
    """Return what the figures are of; None where the meter has no readings in slots.

    Args:
        view: Who asks.
        site: The site.
        meter: The meter.
        last: When the meter, or another one at the site, was read last.

    """
    channel = next((one for one in meter["channels"] if _is_taken(one)), None)
    if channel is None:
        return None
    zone = ZoneInfo(site["timezone"])
    readings = await _readings(view, meter, channel, zone, last)
    until = newest(readings, zone)
    if until is None:
        return None
    month = Month.of(until)
    contract = await _contract(view, meter, until)
    tariff = None
    if contract is not None:
        # None where a plugin that it needs is not loaded: then nothing says what energy costs.
        tariff = await attempted(view.api.call("get_tariff", tariff=contract["tariff"]))
        contract = contract if tariff is not None else None
    if contract is not None:
        month = month.since(date.fromisoformat(contract["start"]))
        month = month.before(date.fromisoformat(contract.get("end", "9999-12-31")))
    now = view.api.core.clock.now()
    return Subject(site, meter, channel, contract, tariff, readings, month, now)


def _is_taken(channel: Json) -> bool:
    kinds = (channel["quantity"], channel["direction"], channel["kind"])
    return kinds == ("active_energy", "import", "interval")


async def _readings(
    view: View, meter: Json, channel: Json, zone: ZoneInfo, last: datetime | None
) -> Json:
    """Return the readings of the last month that may have any; of this one without."""
    now = view.api.core.clock.now()
    until = min(now, last or now).astimezone(zone)
    return await _of_month(view, meter, channel, Month.of(until))


async def _of_month(view: View, meter: Json, channel: Json, month: Month) -> Json:
    found: Json = await view.api.call(
        "get_readings",
        meter=meter["id"],
        channel=channel["id"],
        start=month.first.isoformat(),
        end=month.past.isoformat(),
    )
    return found


async def _contract(view: View, meter: Json, until: datetime) -> Json | None:
    """Return the contract of a meter that is in force when its readings end."""
    if not (view.api.may("list_contracts") and view.api.may("get_tariff")):
        return None
    page = await view.api.call("list_contracts", meter=meter["id"])
    day = (until - timedelta(seconds=1)).date().isoformat()
    inside = (one for one in page["items"] if one["start"] <= day < one.get("end", "9"))
    return next(inside, None)


async def attempted(asked: Any) -> Any:
    """Return what the API answers; None where it refuses."""
    try:
        return await asked
    except EnergiaError:
        return None
