"""The workflow, run by act on this machine; only actions of others are stood for.

    python -m tests.rehearsals.ci.workflow [job ...]

Works on a clone of the last commit. The jobs run one after another on this machine itself: those
that build an image need a Docker engine, those for a version of Python its interpreter.
"""

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Final

from tests.imports import ROOT

_WORKFLOW: Final = Path(".github/workflows/ci.yml")
_STANDS: Final = ROOT / "tests/rehearsals/ci/actions"


def jobs() -> list[str]:
    """Return the names of the jobs, in their order."""
    text = (ROOT / _WORKFLOW).read_text(encoding="utf-8")
    found = re.findall(r"^  (\w+):$", text.partition("\njobs:\n")[2], re.MULTILINE)
    return [job for job in found if job != "passed"]  # it runs all the others


def stands() -> list[str]:
    """Return act's options that put our stand-ins in the place of the actions that are used."""
    used = re.findall(r"uses: (actions/([\w-]+)@\w+)", (ROOT / _WORKFLOW).read_text())
    return [
        f"--local-repository={action}={_STANDS / name}"
        for action, name in sorted(set(used))
        if (_STANDS / name).is_dir()
    ]


def run(job: str, clone: Path) -> bool:
    """Run one job in *clone* and tell whether it passed."""
    act = Path(sysconfig.get_path("scripts")) / "act"
    command = [
        *(str(act), "push", "--job", job, "--platform", "ubuntu-24.04=-self-hosted"),
        *("--pull=false", "--action-offline-mode", "--concurrent-jobs", "1", *stands()),
    ]
    environment = {**os.environ, "XDG_CACHE_HOME": str(clone.parent / "cache")}
    return subprocess.run(command, cwd=clone, env=environment, check=False).returncode == 0


def main(asked: list[str]) -> None:
    """Run the jobs, all or those that are asked for; exit 1 if one fails."""
    with tempfile.TemporaryDirectory(prefix="energia-ci-") as folder:
        clone = Path(folder) / "energia"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        results = {job: run(job, clone) for job in asked or jobs()}
    for job, passed in results.items():
        print(f"{job}: {'passed' if passed else 'FAILED'}")
    raise SystemExit(not all(results.values()))


if __name__ == "__main__":
    main(sys.argv[1:])
