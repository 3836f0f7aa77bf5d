"""Rehearsals of what happens to the service in production; each prints what it measured.

    python -m tests.rehearsals.database   kill the database under load, again and again
    python -m tests.rehearsals.chaos      kill, cut and fill everything while readings are written
    python -m tests.rehearsals.bill_workers   kill the workers of a bill run, again and again
    python -m tests.rehearsals.previews   open, close, replay and reap previews beside production
    python -m tests.rehearsals.steady     load it moderately for half an hour
    python -m tests.rehearsals.image      build the image, start it hardened, stop it under load
    python -m tests.rehearsals.plugins    build images with plugins of one's own, as the docs say
    python -m tests.rehearsals.rolling    deploy it again and again behind a proxy, under load

The last three need Linux and a Docker engine (`docker` on the PATH, `DOCKER_HOST` if it is not the
usual one), and find the base image by `PYTHON_IMAGE`. PostgreSQL and Traefik come from wheels. All
of it listens on 127.0.0.1, containers too: they share the network of the machine.
"""

from pathlib import Path
from typing import Final

#: Where the Dockerfile is.
REPOSITORY: Final = Path(__file__).parents[2]
