"""The image, hardened: it starts, turns healthy by its own check, answers, and stops cleanly.

    python -m tests.rehearsals.ci.smoke energia:ci

Needs Linux and a Docker engine; PostgreSQL comes from the wheel. All listens on 127.0.0.1.
"""

import sys
from typing import Final
from urllib.request import urlopen

from tests.e2e.service import free_port
from tests.rehearsals.engine import running
from tests.rehearsals.postgres import postgres

#: Seconds until it must be healthy, and until it must have stopped.
_LIMIT: Final = 60
_GRACE: Final = 30


def smoke(image: str) -> None:
    """Start *image* hardened, look at it, and stop it; exits with what is wrong."""
    with (
        postgres() as url,
        running(image, free_port(), {"DATABASE_URL": url}) as container,
    ):
        print(f"healthy after {container.healthy(_LIMIT):.1f} s")
        for path in ("/health/live", "/health/ready", "/health", "/openapi.json"):
            with urlopen(f"{container.url}{path}", timeout=10) as answer:
                print(f"{path}: {answer.status}, {len(answer.read())} bytes")
        seconds, code = container.stop(_GRACE)
        print(f"stopped after {seconds:.1f} s with exit code {code}")
        if code:
            raise SystemExit(f"exit code {code}")


if __name__ == "__main__":
    smoke(*sys.argv[1:])
