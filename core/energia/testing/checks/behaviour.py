"""Checks of what a charge does besides: nothing. The same goes in, the same comes out."""

import copy
import gc
import sys
from collections.abc import Callable
from datetime import date
from types import FrameType, ModuleType
from typing import Final

import attrs

from energia.metering.series import Micro
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms
from energia.testing import elsewhere
from energia.testing.case import MONDAY, Case, facts, same
from energia.testing.outcome import Failed
from energia.testing.pricing import made_up
from energia.testing.usage import Load, household, zero
from energia.time import DAY, Int64

_CLOCKS: Final = frozenset(
    f"{name}{suffix}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
    for suffix in ("", "_ns")
) | {"localtime", "gmtime", "ctime"}
_NOW: Final = frozenset({"now", "utcnow", "today"})
_OF_THE_SYSTEM: Final = frozenset({"urandom", "getrandom", "getpid"})


def watched(work: Callable[[], object], package: str) -> list[str]:
    """Do *work*, and return what it called that gives something else each time.

    Files count where the code of *package* opens them: zones are read from files too.
    """
    calls: dict[str, None] = {}

    def profile(frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and (name := _forbidden(frame, called, package)):
            calls[f"{name} in {frame.f_code.co_qualname}"] = None

    before, collects = sys.getprofile(), gc.isenabled()
    gc.disable()  # what others do after a collection is not the doing of *work*
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()
    return list(calls)


def _forbidden(frame: FrameType, called: object, package: str) -> str | None:
    name, owner = getattr(called, "__name__", ""), getattr(called, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, date) and name in _NOW:
        return f"{owner.__name__}.{name}"
    if isinstance(owner, ModuleType):
        module = owner.__name__
        if (module == "time" and name in _CLOCKS) or name in _OF_THE_SYSTEM:
            return f"{module}.{name}"
        mine = str(frame.f_globals.get("__name__", "")).partition(".")[0] == package
        if mine and name == "open":
            return name
    if type(owner).__module__ == "random":
        return f"random.{name}"
    return None


_END: Final = MONDAY + 3 * DAY


def no_clock(case: Case) -> None:
    """Neither the clock nor chance nor a file is asked while a bill is made."""
    package = case.class_.__module__.partition(".")[0]
    calls = watched(lambda: case.priced(case.tariff(), MONDAY, _END), package)
    if calls:
        raise Failed(f"it calls {', '.join(calls)}")


def inputs_unchanged(case: Case) -> None:
    """Readings, document, charge and what was remembered are as before."""
    document = copy.deepcopy(dict(case.document))
    tariff = case.tariff()
    usage = case.usage(tariff, MONDAY, _END)
    before = case.pricing.converter.dumps(tariff)
    terms = Terms(prices=made_up(tariff, MONDAY, _END))
    state = dict(price(tariff, usage, MONDAY, _END, terms).state)
    original = copy.deepcopy(state)
    # The arrays cannot be written to: a charge that tries fails here.
    price(tariff, usage, MONDAY, _END, attrs.evolve(terms, state=state))
    if state != original:
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
