"""A PostgreSQL server as production has one: over TCP, with a password, apart from the service."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg2

from energia.db.embedded import Account, installed, runnable
from tests.e2e.service import free_port

_ROLE: Final = "energia"
_PASSWORD: Final = "rehearsal"
_LIMIT: Final = 30.0


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server with an empty database until the block is left; give the database's URL."""
    folder = Path(tempfile.mkdtemp(prefix="energia-rehearsal-"))
    folder.chmod(0o755)
    try:
        with _running(folder, _account(), free_port()) as dsn:
            yield dsn
    finally:
        shutil.rmtree(folder)


def _account() -> Account | None:
    """Return who runs the server if we are root, whom PostgreSQL refuses."""
    if os.geteuid():
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_name, nobody.pw_uid, nobody.pw_gid)


@contextmanager
def _running(folder: Path, account: Account | None, port: int) -> Iterator[str]:
    programs = runnable(folder, account) if account else installed()
    data, password = folder / "data", folder / "password"
    data.mkdir(mode=0o700)
    password.write_text(_PASSWORD)
    who: dict[str, Any] = {"cwd": "/"}
    if account:
        os.chown(data, account.user, account.group)
        who |= {"user": account.user, "group": account.group, "extra_groups": []}
    options = ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--pwfile", str(password)]
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", _ROLE, *options]
    subprocess.run(initdb, check=True, capture_output=True, **who)
    listen = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}"]
    listen += ["-c", "unix_socket_directories="]
    with (
        (folder / "server.log").open("w") as log,
        subprocess.Popen(
            [programs / "postgres", "-D", data, *listen], stdout=log, stderr=log, **who
        ) as server,
    ):
        try:
            dsn = f"postgresql://{_ROLE}:{_PASSWORD}@127.0.0.1:{port}/postgres"
            _answering(dsn)
            yield _with_database(dsn)
        finally:
            server.terminate()


def _answering(dsn: str) -> None:
    until = time.monotonic() + _LIMIT
    while True:
        try:
            psycopg2.connect(dsn).close()
            return
        except psycopg2.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _with_database(dsn: str) -> str:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"create database {_ROLE}")
    return dsn.removesuffix("/postgres") + f"/{_ROLE}"
