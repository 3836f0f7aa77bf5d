"""What a URL says, and what a session is set to."""

import pytest

from energia.db.address import parsed, resolved, session
from energia.db.pool import Pool
from energia.errors import ConfigurationError, DatabaseAway
from energia.settings import Database


async def test_a_session_has_the_time_limits_of_the_settings(database: str) -> None:
    """The server itself gives long statements up; instants are UTC."""
    pool = Pool(database, Database(statement_timeout=12.5, lock_timeout=0.25))
    names = ("statement_timeout", "lock_timeout", "timezone", "client_encoding", "application_name")
    shown = [(await pool.tenant().fetch(str, f"show {name}"))[0] for name in names]
    await pool.close()

    assert shown == ["12500ms", "250ms", "UTC", "UTF8", "energia"]


async def test_a_url_may_add_options(database: str) -> None:
    """Options and names of the URL hold besides ours."""
    url = f"{database}&options=-c%20search_path%3Dmine&application_name=other"
    pool = Pool(url, Database())
    path = await pool.tenant().fetch(str, "show search_path")
    name = await pool.tenant().fetch(str, "show application_name")
    await pool.close()

    assert (path, name) == (["mine"], ["other"])


def test_a_password_stays_out_of_the_pools_representation() -> None:
    """A pool in a log line shows no password."""
    pool = Pool("postgresql://a:hunter2@localhost/energia", Database())

    assert "hunter2" not in f"{pool!r} {pool.tenant()!r} {pool.stats!r}"


@pytest.mark.parametrize(
    "url", ["postgresql://u@h/a\0b", "host=h dbname=a\0", "postgresql://u@h/%FF", "host=\udcff"]
)
def test_bytes_that_are_no_text_are_refused(url: str) -> None:
    """The driver would stop at a NUL, or fail with an error of its own."""
    with pytest.raises(ConfigurationError, match="not a PostgreSQL URL"):
        parsed(url)


def test_a_mode_of_encryption_that_is_none_is_refused() -> None:
    """It is found before anything connects, and the message has no part of the URL."""
    with pytest.raises(ConfigurationError, match="sslmode must be one of disable") as caught:
        parsed("postgresql://u:hunter2@h/a?sslmode=requird")

    assert "requird" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://u:hun@ter2@h/a", "%40 for @"),
        ("postgresql://u:hun/ter2@h/a", "%2F for /"),
        ("postgresql://u:hun%ter2@h/a", "%25 for %"),
        ('"postgresql://u:hunter2@h/a"', "is in quotes"),
        ("postgresql://u:hunter2@h/a ", "ends with a blank"),
        ("postgresql://u:hunter2@h/a?sslmod=require", "did you mean 'sslmode'?"),
    ],
)
def test_a_miswritten_url_is_told(url: str, message: str) -> None:
    """What libpq would take for something else, and then name: the rest of a password as a host."""
    with pytest.raises(ConfigurationError) as caught:
        parsed(url)

    assert message in str(caught.value)
    assert "ter2" not in str(caught.value)


def test_a_password_may_have_every_character() -> None:
    """Encoded, or in libpq's own form."""
    encoded = parsed("postgresql://u:a%40b%2Fc?d%25e:#f@h/a?sslmode=require")

    assert encoded["password"] == "a@b/c?d%e:#f"
    assert parsed("host=h dbname=a password=a@b/c%d")["password"] == "a@b/c%d"


async def test_hosts_are_resolved_without_blocking() -> None:
    """Each host gets its addresses, and keeps its name for the certificate and its port."""
    given = parsed("postgresql://127.0.0.1:1111,127.0.0.2:2222/energia")
    found = await resolved(given)

    assert (found["host"], found["hostaddr"], found["port"]) == (
        "127.0.0.1,127.0.0.2",
        "127.0.0.1,127.0.0.2",
        "1111,2222",
    )


async def test_one_port_is_every_hosts() -> None:
    """A single port counts for all hosts; an unknown host is passed over."""
    found = await resolved({"host": "127.0.0.1,no-such-host.invalid,127.0.0.2", "port": "6000"})

    assert found["host"] == found["hostaddr"] == "127.0.0.1,127.0.0.2"
    assert found["port"] == "6000,6000"


@pytest.mark.parametrize(
    "given",
    [
        {"host": "/var/run/postgresql"},
        {"dbname": "energia"},
        {"host": "db.example", "hostaddr": "10.0.0.1"},
    ],
)
async def test_what_needs_no_address_stays(given: dict[str, str]) -> None:
    """Sockets, defaults and given addresses are left to libpq."""
    assert await resolved(given) == given


async def test_a_host_without_an_address() -> None:
    """Without any address the database is away, and the message names the host."""
    with pytest.raises(DatabaseAway, match=r"no-such-host\.invalid"):
        await resolved({"host": "no-such-host.invalid"})


def test_limits_are_milliseconds() -> None:
    """Seconds of the settings are the server's milliseconds."""
    options = session("dbname=energia", Database(lock_timeout=0.0015))["options"]

    assert "-c lock_timeout=2 " in options
