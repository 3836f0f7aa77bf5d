"""Signals before the service can act on them, in a process of their own."""

import subprocess
import sys

import pytest

_PROGRAM = """
import signal
from energia import signals
signals.install()
signal.raise_signal(signal.{name})
print([one.name for one in signals.received()], flush=True)
signals.{then}()
signal.raise_signal(signal.{name})
print("alive", flush=True)
"""


def run(name: str, then: str) -> tuple[int, list[str], str]:
    """Return the code, the lines and the errors of a program that gets a signal twice."""
    program = [sys.executable, "-c", _PROGRAM.format(name=name, then=then)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_remembered_and_ignored(name: str) -> None:
    """A signal is remembered, and once the service ends anyway it is ignored."""
    assert run(name, "ignore") == (0, [f"['{name}']", "alive"], "")


def test_restored() -> None:
    """A command that does not serve is ended by what came before, as it would have been."""
    code, lines, _ = run("SIGTERM", "restore")

    assert (code, lines) == (-15, ["['SIGTERM']"])
    code, lines, errors = run("SIGINT", "restore")
    assert code != 0
    assert (lines, "KeyboardInterrupt" in errors) == (["['SIGINT']"], True)


def test_imports_nothing_heavy() -> None:
    """Handlers are installed before anything heavy is imported."""
    program = "import sys, energia.__main__; print(sorted(m for m in sys.modules if '.' not in m))"
    listed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    for heavy in ("aiohttp", "attr", "click", "numpy", "asyncio"):
        assert f"'{heavy}'" not in listed
