"""Checks of what a charge does besides: nothing. The same goes in, the same comes out."""

import copy
from typing import Final

import attrs

from energia.metering.series import Micro
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff
from energia.pricing.terms import Terms
from energia.testing import elsewhere
from energia.testing.case import MONDAY, Case, facts, same
from energia.testing.market import made_up
from energia.testing.outcome import Failed
from energia.testing.usage import Load, household, zero
from energia.testing.watching import watched
from energia.zones import DAY, Int64

_END: Final = MONDAY + 3 * DAY


def no_clock(case: Case) -> None:
    """Neither the clock nor chance nor a file is asked while a bill is made."""
    package = case.class_.__module__.partition(".")[0]
    found = watched(lambda: case.priced(case.tariff(), MONDAY, _END), package)
    if found:
        raise Failed(f"it calls {', '.join(found)}")


def inputs_unchanged(case: Case) -> None:
    """Readings, document, charge and what was remembered are as before."""
    document = copy.deepcopy(dict(case.document))
    tariff = case.tariff()
    usage = case.usage(tariff, MONDAY, _END)
    before = case.pricing.converter.dumps(tariff)
    terms = Terms(prices=made_up(tariff, MONDAY, _END))
    state = dict(price(tariff, usage, MONDAY, _END, terms).state)
    kept = copy.deepcopy(state)
    # The arrays cannot be written to: a charge that tries fails here.
    price(tariff, usage, MONDAY, _END, attrs.evolve(terms, state=state))
    if state != kept:
        raise Failed("it changes what was remembered in place; yield a new State")
    if case.pricing.converter.dumps(tariff) != before or case.document != document:
        raise Failed("it changes its own fields")


def repeatable(case: Case) -> None:
    """Priced again, also after other usage, a bill is the same."""
    tariff = case.tariff()
    first = facts(case.priced(tariff, MONDAY, _END))
    case.priced(tariff, MONDAY, _END, zero)
    case.priced(tariff, MONDAY + DAY, _END + DAY, _of_number(9))
    for other in (tariff, case.tariff()):
        again = facts(case.priced(other, MONDAY, _END))
        same(first, again, "the second time it charges something else")


def one_for_many(case: Case) -> None:
    """Many meters priced by one tariff pay what each pays by itself."""
    shared = case.tariff()
    for number in (3, 1, 0, 2):
        alone = facts(_of_meter(case, number, case.tariff()))
        same(alone, facts(_of_meter(case, number, shared)), "after other meters it differs")


def another_process(case: Case) -> None:
    """Another process, with another seed of hashes, makes the same bill."""
    here = facts(case.priced(case.tariff(), MONDAY, _END))
    there = elsewhere.priced(case, MONDAY, _END)
    same(here, there, "in another process it charges something else")


def _of_meter(case: Case, number: int, tariff: Tariff) -> Cost:
    return case.priced(tariff, MONDAY, _END, _of_number(number))


def _of_number(number: int) -> Load:
    """Return what another household uses; the higher the number, the more."""

    def load(role: str, starts: Int64, interval: int) -> Micro:
        return household(f"{role} {number}", starts, interval) * (number + 1)

    return load
