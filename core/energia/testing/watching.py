"""Tells what code asks besides its arguments: the clock, chance, files."""

import gc
import sys
from collections.abc import Callable
from datetime import date
from types import FrameType, ModuleType
from typing import Final

_CLOCKS: Final = frozenset(
    f"{name}{suffix}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
    for suffix in ("", "_ns")
) | {"localtime", "gmtime", "ctime"}
_NOW: Final = frozenset({"now", "utcnow", "today"})
_OF_THE_SYSTEM: Final = frozenset({"urandom", "getrandom", "getpid"})


def watched(work: Callable[[], object], package: str) -> list[str]:
    """Do *work*, and return what it called that tells something else each time.

    Files count where the code of *package* opens them: zones are read from files too.
    """
    found: dict[str, None] = {}

    def profile(frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and (name := _forbidden(frame, called, package)):
            found[f"{name} in {frame.f_code.co_qualname}"] = None

    before, collects = sys.getprofile(), gc.isenabled()
    gc.disable()  # what others do after a collection is not the doing of *work*
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
        if collects:
            gc.enable()
    return list(found)


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
