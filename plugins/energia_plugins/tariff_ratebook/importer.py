"""The importer of tariffs of the ratebook data set."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

import attrs

from energia import Fault, Imported, ImportOptions, ImportWarning, Invalid
from energia_plugins.tariff_ratebook.holidays import RULES, dates
from energia_plugins.tariff_ratebook.rewriting import Rewritten, rewritten
from energia_plugins.tariff_urdb.importer import UrdbImporter

#: Named holidays become dates of these years; another import makes those of other years.
_YEARS: Final = range(2015, 2041)
_POLICIES: Final = ("unknown", "as_weekday", "as_weekend", None)
_OBSERVANCES: Final = ("actual_day", "sunday_to_monday", "nearest_weekday", "federal")


@attrs.frozen
class RatebookImporter:
    """Reads one tariff of the data set."""

    format: str = "ratebook"
    description: str = (
        "Tariffs of the ratebook data set of US residential tariffs (schema version 0); tiers are "
        "counted in each period by itself, as its engine does, unless tier_scope says otherwise."
    )

    examples: ClassVar[tuple[Any, ...]] = (
        {
            "schema_version": 0,
            "identity": {"utility_id": "Acme Power", "plan_name": "R-1"},
            "energy": {"periods": [{"tiers": [{"rate": "0.10", "adj": "0.02"}]}]},
            "schedule": {"weekday": [[0] * 24] * 12, "weekend": [[0] * 24] * 12},
            "fixed_charges": [{"amount": "14", "unit": "$/month"}],
        },
    )

    def read(self, document: object, options: ImportOptions) -> Imported:
        """Return the tariff of *document*; raises `Invalid` with all faults."""
        source = rewritten(document)
        faults = list(source.faults)
        options = attrs.evolve(options, tier_scope=options.tier_scope or "per_period")
        holidays, warnings = _holidays(source, faults)
        found = _read(source, options, faults)
        if faults or found is None:
            raise Invalid(
                faults[0].message if len(faults) == 1 else f"{len(faults)} faults", faults
            )
        told = [attrs.evolve(one, pointer=source.pointer(one.pointer)) for one in found.warnings]
        (version,) = found.tariff["versions"]
        version = version | ({"holidays": holidays} if holidays else {})
        charges = [*version["charges"], *source.fixed]
        version = version | {"charges": _ordered(charges)}
        return Imported(
            {**found.tariff, "versions": [version]},
            (*told, *source.warnings, *warnings),
        )


def _read(source: Rewritten, options: ImportOptions, faults: list[Fault]) -> Imported | None:
    """Return the tariff of the rate; None if it has *faults*, which are added."""
    try:
        return UrdbImporter().read(source.rate, options)
    except Invalid as error:
        faults += [attrs.evolve(one, pointer=source.pointer(one.pointer)) for one in error.faults]
        return None


def _ordered(charges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the charges with the minimum last: it looks at all of them."""
    return sorted(charges, key=lambda charge: charge["kind"] == "minimum")


def _holidays(source: Rewritten, faults: list[Fault]) -> tuple[list[str], list[ImportWarning]]:
    """Return the dates of the holidays that are charged as weekends."""
    schedule: Mapping[str, Any] = source.schedule
    policy = schedule.get("holiday_policy")
    if policy not in _POLICIES:
        message = f"{policy!r} is no policy; known are unknown, as_weekday and as_weekend"
        faults.append(Fault("unknown_policy", message, "/schedule/holiday_policy"))
    names = schedule.get("holidays") or []
    faults += list(_unknown(names, schedule.get("holiday_observance", "actual_day")))
    if faults or policy != "as_weekend":
        return [], list(_untold(policy))
    if not names:
        message = "holidays are charged as weekends, but none is listed"
        warning = ImportWarning("/schedule/holiday_policy", "holidays_not_listed", message)
        return [], [warning]
    observance = schedule.get("holiday_observance") or "actual_day"
    found = sorted({str(day) for day in dates(names, _YEARS, observance)})
    message = f"the holidays are dates of the years {_YEARS[0]} to {_YEARS[-1]}"
    return found, [ImportWarning("/schedule/holidays", "holidays_until", message)]


def _untold(policy: object) -> Iterator[ImportWarning]:
    if policy == "unknown":
        message = "the source does not know how holidays are charged: they are days as any"
        yield ImportWarning("/schedule/holiday_policy", "holidays_unknown", message)


def _unknown(names: object, observance: object) -> Iterator[Fault]:
    if not isinstance(names, list):
        yield Fault("wrong_type", "holidays are a list of names", "/schedule/holidays")
        return
    for at, name in enumerate(names):
        if not isinstance(name, str) or name not in RULES:
            message = f"{name!r} is no known holiday"
            yield Fault("unknown_holiday", message, f"/schedule/holidays/{at}")
    if observance not in (*_OBSERVANCES, None):
        message = f"{observance!r} is no known observance; known are {', '.join(_OBSERVANCES)}"
        yield Fault("unknown_observance", message, "/schedule/holiday_observance")
