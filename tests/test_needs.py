"""The marker `needs`, which skips a test for want of a program."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAMPLE = """
import pytest

@pytest.mark.needs("no-such-program")
def test_without(): ...

@pytest.mark.needs("sh")
def test_with(): ...
"""


@pytest.mark.parametrize(
    ("options", "outcome"),
    [([], "1 passed, 1 skipped"), (["--all"], "1 passed, 1 error")],
)
def test_a_missing_program(tmp_path: Path, options: list[str], outcome: str) -> None:
    """A test is skipped and the program is named at the end; with `--all` it fails."""
    sample = tmp_path / "test_sample.py"
    sample.write_text(SAMPLE)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", "tox.ini"]
    plain = ["-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    run = subprocess.run(
        [*command, *plain, *options, sample], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert outcome in run.stdout, run.stdout + run.stderr
    assert "needs no-such-program, not on the PATH" in run.stdout
    assert "needed by tests and not here: no-such-program" in run.stdout
