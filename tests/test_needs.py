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
"""


NAMESPACE = """
import pytest

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
    [([], "1 passed, 1 skipped"), (["--all"], "1 passed, 1 error")],
)
def test_a_missing_program(tmp_path: Path, options: list[str], counts: str) -> None:
    """A test is skipped and the program is named at the end; with `--all` it fails."""
    found = outcome(tmp_path, SAMPLE, *options)

    assert counts in found
    assert "needs no-such-program, not on the PATH" in found
    assert "needed by tests and not here: no-such-program" in found


@pytest.mark.parametrize(("options", "counts"), [([], "1 skipped"), (["--all"], "1 error")])
def test_a_namespace_that_may_not_be_made(tmp_path: Path, options: list[str], counts: str) -> None:
    """Root alone is not enough: a container without the capability is told of like a program."""
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)

    found = outcome(
        tmp_path, NAMESPACE, *options, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    )

    assert counts in found
    assert "needs leave to make a PID namespace" in found
    assert "needed by tests and not here: pid-namespace" in found
