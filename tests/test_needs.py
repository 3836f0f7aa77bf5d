"""The marker `needs`, which skips a test for want of a program."""

import os
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

@pytest.mark.needs("pid-namespace")
def test_as_process_one(): ...
"""


def outcome(folder: Path, sample: str, *options: str, **environ: str) -> str:
    """Run *sample* as a test of this suite, and return what pytest prints."""
    file = folder / "test_sample.py"
    file.write_text(sample)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", "tox.ini"]
    plain = ["-p", "no:cacheprovider", "--rootdir", str(folder), *options, str(file)]
    environ = {**os.environ, **environ}
    return subprocess.run(
        [*command, *plain], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=False
    ).stdout


@pytest.mark.parametrize(
    ("options", "counts"),
    [([], "1 passed, 2 skipped"), (["--all"], "1 passed, 2 errors")],
)
def test_what_is_missing(tmp_path: Path, options: list[str], counts: str) -> None:
    """A test that needs what is missing is skipped, and that is named at the end; or it fails.

    Root alone may make no namespace: a container without the capability counts as a program that is
    missing.
    """
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)

    printed = outcome(
        tmp_path, SAMPLE, *options, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    )

    assert counts in printed
    assert "needs no-such-program, not on the PATH" in printed
    assert "needs leave to make a PID namespace" in printed
    assert "needed by tests and not here: no-such-program, pid-namespace" in printed
