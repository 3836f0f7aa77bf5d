"""Prices a charge in another process, with another seed of hashes: run with `python -m`."""

import json
import os
import subprocess
import sys
from functools import lru_cache
from importlib import import_module
from typing import Any

from energia.pricing.charges import Charge
from energia.testing.case import Case, Fact, facts
from energia.testing.outcome import Failed, Skipped
from energia.testing.pricing import Pricing
from energia.time import Instant

_SECONDS = 60


def priced(case: Case, start: Instant, end: Instant) -> tuple[Fact, ...]:
    """Return the bill that another process makes; raises `Skipped` where it has no such class."""
    class_ = case.class_
    if class_.__module__ == "__main__" or "<locals>" in class_.__qualname__:
        raise Skipped("the class is in no module that another process could import")
    stated = [dict(example) for example in class_.examples]
    documents = stated if case.document in stated else [dict(case.document)]
    question = {
        "module": class_.__module__,
        "name": class_.__qualname__,
        "documents": documents,
        "window": [start, end],
    }
    bills = _asked(json.dumps(question, default=str))
    return tuple(tuple(fact) for fact in bills[documents.index(dict(case.document))])


@lru_cache(maxsize=1)
def _asked(question: str) -> Any:
    """Return the bills of all examples of a kind: a process takes longer to start than to price."""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "energia.testing.elsewhere"],
        input=question,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended"])[-1]
        raise Failed(f"in another process it cannot be priced: {last}")
    return json.loads(done.stdout)


def _answer(question: Any) -> list[tuple[Fact, ...]]:
    target: Any = import_module(question["module"])
    for name in question["name"].split("."):
        target = getattr(target, name)
    class_: type[Charge] = target
    pricing, window = Pricing.of(class_), question["window"]
    cases = [Case.of(class_, document, pricing) for document in question["documents"]]
    return [facts(case.priced(case.tariff(), *window)) for case in cases]


def _main() -> None:
    """Answer on the standard output, and let what a plugin prints go where errors go."""
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(2, 1)
        json.dump(_answer(json.load(sys.stdin)), output)


if __name__ == "__main__":
    _main()
