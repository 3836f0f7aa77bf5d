"""Other engines, each in an environment of its own: installed when they are first asked for.

They are no requirement of Energia, and nothing but the benchmark installs them.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs

FOLDER: Final = Path(__file__).parents[1] / "build/peers"
SCRIPTS: Final = Path(__file__).parent
#: Asks a peer that runs something, and returns its answer.
Asked: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]


@attrs.frozen
class Peer:
    """Another engine.

    Attributes:
        name: What it is called.
        packages: What pip installs.
        script: Measures it; in this folder.
        pythons: The interpreters that it runs on, the best first.

    """

    name: str
    packages: tuple[str, ...]
    script: str
    pythons: tuple[str, ...]

    def measured(self, *arguments: str) -> dict[str, dict[str, Any]] | str:
        """Return what its script measures, such as by `<tariff> <minutes>`; or why it cannot."""
        python = self._python()
        if isinstance(python, str):
            return python
        run = subprocess.run(
            [str(python), str(SCRIPTS / self.script), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            return f"it fails: {run.stderr.strip().splitlines()[-1:]}"
        found: dict[str, dict[str, Any]] = json.loads(run.stdout)
        return found

    @contextmanager
    def asked(self) -> Iterator[Asked]:
        """Let its script run until the block ends, and answer: a line of JSON for each line.

        Raises:
            SystemExit: It cannot be installed here.

        """
        python = self._python()
        if isinstance(python, str):
            raise SystemExit(f"{self.name}: {python}")
        command = [str(python), str(SCRIPTS / self.script), "--answer"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None

            def ask(question: Mapping[str, Any]) -> dict[str, Any]:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(json.dumps(question) + "\n")
                process.stdin.flush()
                answer: dict[str, Any] = json.loads(process.stdout.readline())
                return answer

            yield ask
            process.stdin.close()

    def _python(self) -> Path | str:
        """Return the interpreter of its environment; or why there is none."""
        home = FOLDER / self.name
        python = home / "bin/python"
        if (home / "installed").exists():
            return python
        base = next(filter(None, map(_working, self.pythons)), None)
        if base is None:
            return f"it needs one of {', '.join(self.pythons)}, and none is here"
        subprocess.run([base, "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run = subprocess.run([*pip, *self.packages], capture_output=True, text=True, check=False)
        if run.returncode:
            return f"pip cannot install it: {run.stderr.strip().splitlines()[-1:]}"
        (home / "installed").touch()
        return python


PYSAM: Final = Peer("pysam", ("nlr-pysam==8.0.0",), "peer_pysam.py", (sys.executable,))
DECODERS: Final = Peer(
    "decoders",
    (
        "aemo-mdff-reader==2.2.1",
        "dsmr-parser==1.11.2",
        "greenbutton-objects==2024.7.11",
        "nemreader==0.9.2",
        "pydifact==0.2.3",
    ),
    "peer_decoders.py",
    (sys.executable,),
)


def _working(name: str) -> str | None:
    """Return where a Python is that starts: the first on the path may be a shim that does not."""
    found = (shutil.which(name, path=folder) for folder in os.get_exec_path())
    return next(filter(_starts, filter(None, found)), None)


def _starts(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
