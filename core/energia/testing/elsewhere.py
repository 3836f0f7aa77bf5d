"""Prices a charge in another process, with another seed of hashes: run with `python -m`."""

import json
import os
import subprocess
import sys
from importlib import import_module
from typing import Any

from energia.pricing.charges import Charge
from energia.testing.case import Case, Fact, facts
from energia.testing.outcome import Failed, Skipped
from energia.testing.pricing import Pricing

_SECONDS = 60


def priced(case: Case, start: int, end: int) -> tuple[Fact, ...]:
    """Return the bill that another process makes; raises `Skipped` where it has no such class."""
    class_ = case.class_
    if class_.__module__ == "__main__" or "<locals>" in class_.__qualname__:
        raise Skipped("the class is in no module that another process could import")
    question = {
        "module": class_.__module__,
        "name": class_.__qualname__,
        "document": case.document,
        "interval": case.interval,
        "window": [start, end],
    }
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "energia.testing.elsewhere"],
        input=json.dumps(question, default=str),
        env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended"])[-1]
        raise Failed(f"in another process it cannot be priced: {last}")
    return tuple(tuple(fact) for fact in _read(done.stdout))


def _read(text: str) -> Any:
    return json.loads(text)


def _answer(question: Any) -> tuple[Fact, ...]:
    class_: Any = import_module(question["module"])
    for name in question["name"].split("."):
        class_ = getattr(class_, name)
    found: type[Charge] = class_
    case = Case(found, question["document"], Pricing.of(found), question["interval"])
    return facts(case.priced(case.tariff(), *question["window"]))


if __name__ == "__main__":
    json.dump(_answer(json.load(sys.stdin)), sys.stdout)
