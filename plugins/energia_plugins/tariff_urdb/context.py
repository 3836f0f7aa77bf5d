"""What the readers of a rate's parts share."""

from datetime import timedelta
from typing import Final

import attrs

from energia import ImportOptions
from energia.convert.scalars import duration_text
from energia_plugins.tariff_urdb.notes import Record

_DEFAULT: Final = timedelta(minutes=15)


@attrs.define
class Context:
    """The options of an import, and what was told once already.

    Attributes:
        options: What the source may not say.

    """

    options: ImportOptions
    _told: bool = False

    def interval(self, rate: Record) -> dict[str, str]:
        """Return over what demand is averaged: as asked, as the source says, or a quarter hour.

        What nobody says may be an hour too: then readings by the hour are accepted.
        """
        stated = self._stated(rate)
        asked = self.options.demand_interval
        if asked and stated and asked != stated and not self._told:
            message = f"demand is averaged over {duration_text(asked)}, as asked, not as stated"
            rate.notes.warn(rate.pointer("demandwindow"), "interval_asked", message)
        elif not asked and not stated and not self._told:
            message = (
                "the source does not tell over what demand is averaged: PT15M is taken, or "
                "the length of the readings, if they are longer"
            )
            rate.notes.warn(rate.pointer("demandwindow"), "interval_assumed", message)
        self._told = True
        length = {"interval": duration_text(asked or stated or _DEFAULT)}
        return length if asked or stated else {**length, "coarse": "accept"}

    def _stated(self, rate: Record) -> timedelta | None:
        minutes, at = rate.number("demandwindow"), rate.pointer("demandwindow")
        if not minutes:
            return None
        if minutes <= 0 or minutes > 60 or 60 % minutes or minutes != minutes.to_integral_value():
            message = (
                f"demand is averaged over {minutes} minutes, of which an hour has no whole number"
            )
            if not self._told and not self.options.demand_interval:
                rate.notes.refuse(at, "wrong_window", f"{message}: state demand_interval")
            return None
        return timedelta(minutes=int(minutes))


def unit_fields(unit: str) -> dict[str, str]:
    """Return the fields of a demand in *unit*; kVA are those of apparent energy."""
    if unit == "kVA":
        return {"unit": "kVA", "channel": "apparent_energy.import"}
    return {} if unit == "kW" else {"unit": unit}
