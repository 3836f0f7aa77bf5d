"""The errors of the driver, as errors of Energia."""

import re

import psycopg2
from psycopg2 import errorcodes

from energia import errors

#: SQLSTATE -> what it means to a client; the classes of the codes are below.
_BY_CODE: dict[str, type[errors.EnergiaError]] = {
    errorcodes.QUERY_CANCELED: errors.StatementTimeout,
    errorcodes.LOCK_NOT_AVAILABLE: errors.LockTimeout,
    errorcodes.DEADLOCK_DETECTED: errors.LockTimeout,
    errorcodes.UNIQUE_VIOLATION: errors.UniqueViolation,
    errorcodes.FOREIGN_KEY_VIOLATION: errors.ForeignKeyViolation,
    # A fail-over left us on a standby.
    errorcodes.READ_ONLY_SQL_TRANSACTION: errors.DatabaseAway,
}
#: Connection lost, resources exhausted, server stopping or starting.
_AWAY = ("08", "53", "57P")
_SECRET = re.compile(r"password\s*=\s*\S+|//[^@/\s]*@", re.IGNORECASE)


def translated(error: psycopg2.Error, *, away: bool) -> errors.EnergiaError:
    """Return the error to raise for one of the driver.

    Args:
        error: What the driver raised. A lost connection has no SQLSTATE there, not even when the
            server said why it closed it.
        away: The connection is closed or was never made.

    """
    code = error.pgcode or ""
    if code in _BY_CODE:
        return _BY_CODE[code](said(error))
    if away or code.startswith(_AWAY):
        return errors.DatabaseAway(said(error))
    return errors.DatabaseError(said(error))


def said(error: psycopg2.Error) -> str:
    """Return what the server or the driver said, without the values of rows and without secrets."""
    message = error.diag.message_primary or str(error).strip()
    return _SECRET.sub("…", message)
