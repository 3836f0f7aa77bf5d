"""Where the database is: what a libpq URL says, and what every session of ours is set to."""

import asyncio
import getpass
import os
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import psycopg2
import psycopg2.extensions

from energia.errors import ConfigurationError, DatabaseAway, did_you_mean
from energia.settings import Database

#: What libpq takes for `sslmode`.
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
#: What a URL may have after its `?`.
_PARAMETERS: Final = frozenset(
    (
        *("application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname"),
        *("fallback_application_name", "gssencmode", "host", "hostaddr", "keepalives"),
        *("keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname"),
        *("options", "passfile", "password", "port", "requirepeer", "service", "sslcert"),
        *("sslcrl", "sslkey", "sslmode", "sslpassword", "sslrootcert", "sslsni"),
        *("ssl_max_protocol_version", "ssl_min_protocol_version", "target_session_attrs"),
        *("tcp_user_timeout", "user"),
    )
)
#: How the characters that separate the parts of a URL are written within one.
_ENCODED: Final = "%40 for @, %2F for /, %25 for %"
#: What a URL may override: a server that vanished without a word is noticed after 30 s.
_DEFAULTS = {
    "application_name": "energia",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


def parsed(url: str) -> dict[str, str]:
    """Return the parameters of a libpq URL or connection string.

    Raises:
        ConfigurationError: It is neither; the message names the setting and holds no part of the
            text, which may be a password.

    """
    if fault := _miswritten(url):
        raise ConfigurationError(f"database.url {fault}")
    try:
        # The driver would not see what is after a NUL.
        parameters: dict[str, str] = {} if "\0" in url else psycopg2.extensions.parse_dsn(url)
    except (psycopg2.Error, UnicodeError):
        parameters = {}
    if not parameters:
        fault = "is not a PostgreSQL URL" if url.strip() else "is empty, and no PostgreSQL URL"
        raise ConfigurationError(f"database.url {fault} (postgresql://...){_parameter_hint(url)}")
    if parameters.get("sslmode", _SSL_MODES[0]) not in _SSL_MODES:
        raise ConfigurationError(f"database.url: sslmode must be one of {', '.join(_SSL_MODES)}")
    for port in parameters.get("port", "5432").split(","):
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            hint = f" (in a password write {_ENCODED})" if "://" in url and "@" in url else ""
            message = "database.url: the port is not a number from 1 to 65535"
            raise ConfigurationError(f"{message}{hint}")
    return parameters


def _miswritten(url: str) -> str | None:
    """Return what is wrong with how a URL is written, which libpq would take for something else.

    Of a password with a bare `@` or `/`, it would take the rest for a host and a database, and
    name it in its errors.
    """
    if url[:1] in ("'", '"'):
        return "is in quotes; write it without"
    if url.strip() and url != url.strip():
        return "begins or ends with a blank; write it without"
    scheme, _, rest = url.partition("://")
    if not scheme.isalpha():
        return None
    server, _, name = rest.partition("/")
    host = server.partition("@")[2]
    if any("@" in part.partition("?")[0] for part in (host, name)) or re.search(
        "%(?![0-9A-Fa-f]{2})", rest
    ):
        return f"has a character, perhaps in its password, that a URL has as {_ENCODED}"
    return None


def _parameter_hint(url: str) -> str:
    """Return the nearest parameter of libpq where one after the `?` is none; else nothing."""
    for part in url.partition("?")[2].split("&"):
        name = part.partition("=")[0]
        if name and name not in _PARAMETERS:
            return f": it has a parameter that there is not{did_you_mean(name, _PARAMETERS)}"
    return ""


def place(parameters: Mapping[str, str]) -> str:
    """Return where the database of a connection is, for a person who reads of an error.

    Example:
        >>> place({"host": "db", "dbname": "energia", "user": "app", "password": "hunter2"})
        'host db, port 5432, database energia, role app'

    """
    role = parameters.get("user") or os.environ.get("PGUSER") or _account()
    named = {
        "host": parameters.get("host") or parameters.get("hostaddr") or os.environ.get("PGHOST"),
        "port": parameters.get("port") or os.environ.get("PGPORT") or "5432",
        "database": parameters.get("dbname") or os.environ.get("PGDATABASE") or role,
        "role": role,
    }
    return ", ".join(f"{what} {name or 'the local socket'}" for what, name in named.items())


def _account() -> str:
    """Return who libpq logs in as where nothing says it: whoever runs the process."""
    with suppress(KeyError, OSError):  # a container may run as a number that has no name
        return getpass.getuser()
    return str(os.getuid())


def renamed(url: str, database: str) -> str:
    """Return a connection string that is *url* with another database; raises as `parsed`."""
    return psycopg2.extensions.make_dsn(**{**parsed(url), "dbname": database})


#: Set with the options of a session: where it is missing, somebody between us and the server (a
#: connection pooler) has dropped them.
MARKER = "energia.session"
#: How PgBouncer begins to refuse the options of a session.
_REFUSED = "unsupported startup parameter"


def limits(settings: Database) -> dict[str, str]:
    """Return what every session of the service is set to, by the server's names.

    Its time limits are the server's (`client_connection_check_interval` ends the statements of a
    client that is gone); its instants are UTC.
    """
    return {
        "statement_timeout": f"{round(settings.statement_timeout * 1000)}",
        "lock_timeout": f"{round(settings.lock_timeout * 1000)}",
        "client_connection_check_interval": "500",
        "timezone": "UTC",
    }


def session(url: str, settings: Database) -> dict[str, str]:
    """Return the parameters for a session of the service."""
    given = parsed(url)
    return {
        **_DEFAULTS,
        **given,
        "client_encoding": "UTF8",
        "options": options(limits(settings), after=given.get("options", "")),
    }


def options(settings: Mapping[str, str], before: str = "", after: str = "") -> str:
    """Return the options that set a session, and mark it; *before* and *after* are the URL's."""
    ours = (f"-c {name}={value}" for name, value in {**settings, MARKER: "on"}.items())
    return " ".join([before, *ours, after]).strip()


def for_pooler(parameters: Mapping[str, str], url: str, error: str) -> dict[str, str] | None:
    """Return parameters without options for a connection pooler that refused them with *error*.

    None where it is another error, and where the URL itself has options: they would be lost.
    """
    if _REFUSED not in error or "options" in parsed(url):
        return None
    return {name: text for name, text in parameters.items() if name != "options"}


async def resolved(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters with the addresses of the hosts: libpq itself would block the loop.

    Raises:
        DatabaseAway: No host has an address.

    """
    hosts = parameters.get("host", "").split(",")
    if "hostaddr" in parameters or any(host[:1] in {"", "/", "@"} for host in hosts):
        return dict(parameters)
    ports = parameters.get("port", "5432").split(",")
    addresses = [
        (host, address, port)
        for host, port in zip(hosts, ports * (len(hosts) if len(ports) == 1 else 1), strict=False)
        for address in await _addresses(host)
    ]
    if not addresses:
        raise DatabaseAway(f"the host {parameters['host']} has no address")
    names = ("host", "hostaddr", "port")
    return {
        **parameters,
        **dict(zip(names, map(",".join, zip(*addresses, strict=True)), strict=True)),
    }


async def _addresses(host: str) -> list[str]:
    """Return the addresses of a host, without repetition; none when it is not known."""
    try:
        known = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in known))
