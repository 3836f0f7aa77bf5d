"""The checks that every kind of charge passes; `energia plugins check` runs them.

A check is a function of a case. It returns for what conforms, raises `Failed` with what is wrong,
or `Skipped` where there is nothing to look at; any other exception is a failure too. Its name is
the name in the report, and its docstring says what holds.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from energia.testing.case import Case
from energia.testing.checks import amounts, behaviour, dates, documents, loads

Check: TypeAlias = Callable[[Case], None]

CHECKS: Final[tuple[Check, ...]] = (
    documents.names,
    documents.documented,
    documents.schema,
    documents.round_trip,
    documents.unknown_fields,
    documents.immutable,
    documents.measures,
    # Before others price larger bills, which a charge that keeps something would remember.
    behaviour.repeatable,
    behaviour.one_for_many,
    behaviour.another_process,
    behaviour.no_clock,
    behaviour.inputs_unchanged,
    amounts.exact,
    amounts.sums,
    amounts.explained,
    amounts.unit_prices,
    dates.clock_changes,
    dates.leap_day,
    dates.month_ends,
    dates.versions_follow,
    loads.zero_usage,
    loads.negative_usage,
    loads.huge_usage,
    loads.boundaries,
    loads.negative_prices,
    dates.year_of_bills,
    loads.speed,
)
