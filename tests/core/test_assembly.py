"""How a service is put together, at its start and later."""

import gc
import linecache
import sys
import threading
from pathlib import Path

import pytest

from energia.assembly import assembling, late


@pytest.fixture(name="module")
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "late_one.py").write_text("Part = 3")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "late_one", raising=False)
    return "late_one"


async def test_what_is_imported_late_is_imported_in_a_thread(module: str) -> None:
    """The event loop goes on meanwhile."""

    def load(name: str) -> tuple[object, threading.Thread]:
        return __import__(name).Part, threading.current_thread()

    part, thread = await late(load, module)

    assert part == 3
    assert thread is not threading.current_thread()


def test_what_stays_is_not_looked_at_again(module: str) -> None:
    """The garbage collector leaves alone what was imported, and is as before afterwards."""
    usual, frozen = gc.get_threshold(), gc.get_freeze_count()
    try:
        with assembling():
            raised = gc.get_threshold()
            __import__(module)

        assert raised > usual == gc.get_threshold()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()


def test_nothing_is_done_where_all_is_there() -> None:
    """Who asks again leaves what may still go to the garbage collector, and texts to tracebacks."""
    linecache.getlines(__file__)
    frozen = gc.get_freeze_count()

    with assembling():
        pass

    assert gc.get_freeze_count() == frozen
    assert __file__ in linecache.cache


def test_a_failure_leaves_the_garbage_collector_as_it_was() -> None:
    """Whoever asks next tries again."""
    usual = gc.get_threshold()

    with pytest.raises(ImportError), assembling():
        __import__("nothing_of_this_name")

    assert gc.get_threshold() == usual
