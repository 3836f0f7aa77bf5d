"""Every error that Energia raises.

An error's docstring is its title, `code` is what a client may rely on, `status` is the HTTP status.

* EnergiaError
  * ConfigurationError
    * PluginError
  * MigrationError
  * Inexact                   500: a charge of a plugin gives a float; a TypeError too
  * Malformed                 400: not parseable
  * Unauthenticated           401
  * Forbidden                 403: the scope that is missing, by name
  * NotFound                  404
  * NotAcceptable             406
  * TooSlow                   408: a limit, by name
  * Conflict                  409
    * InUse
    * KeyInFlight, AnswerNotKept  of an `Idempotency-Key`
  * PreconditionFailed        412: it is not what the request says it is
  * TooLarge                  413: a limit, by name
  * UnsupportedMedia          415
  * Invalid                   422: does not fit; `faults` lists all of it
    * NotSupported
    * ReadingsDeleted
    * KeyReused               of an `Idempotency-Key`
    * VersionsOverlap, IncompleteUsage, IncompletePrices, AmbiguousChannel
  * DatabaseError             500: an error of the database that is none of the below
    * UniqueViolation, ForeignKeyViolation  409: others wrote at the same time
    * DatabaseExists, NoSuchDatabase, DatabaseInUse, NotPermitted
  * DatabaseAway              503: no connection
    * DatabaseRefused
    * DatabaseFull
    * PoolExhausted, StatementTimeout
    * LockTimeout
      * Deadlock
  * TooFast                   429: a limit, by name
  * Busy                      503: a limit, by name
  * TimedOut                  503: a limit, by name
"""

import difflib
import inspect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar, Final, Self

import attrs


@attrs.frozen
class Fault:
    """One thing that is wrong with an input, and where.

    Attributes:
        code: A stable name of the fault in snake_case, for example `off_grid`.
        message: What is wrong, for a person.
        pointer: Where in the body: a JSON pointer (RFC 6901), or `/query/<name>`, `/path/<name>`.
        index: Which item of the array that `pointer` names.
        line: Which line of an imported file, counted from 1.
        stored: The value that is stored already.
        sent: The value that was sent.
        severity: `error`, or `warning` where the value was stored all the same.

    """

    code: str
    message: str
    pointer: str | None = None
    index: int | None = None
    line: int | None = None
    stored: str | None = None
    sent: str | None = None
    severity: str | None = None


class EnergiaError(Exception):
    """Something went wrong."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    code: ClassVar[str] = "internal"
    #: Seconds after which a client may try again (the `Retry-After` header).
    retry_after: int | None = None

    def __init__(
        self,
        detail: str = "",
        faults: Iterable[Fault] = (),
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """State an error; *counts* says how many faults each code has when some are left out."""
        self.detail = detail
        self.faults = tuple(faults)
        self.counts = counts or Counter(fault.code for fault in self.faults)
        super().__init__(detail or self.title)

    @classmethod
    def of(cls, code: str, message: str, pointer: str | None = None) -> Self:
        """Return the error of one fault, whose message is the error's: `Fault` has the arguments.

        Example:
            >>> raise Invalid.of("empty_window", "the end must be after the start", "/query/end")

        """
        return cls(message, [Fault(code, message, pointer)])

    @classmethod
    def of_all(cls, faults: Sequence[Fault]) -> Self:
        """Return the error of at least one fault; the message is that of the first."""
        return cls(faults[0].message, faults)

    @property
    def title(self) -> str:
        """What kind of error this is: the first line of the docstring."""
        return inspect.cleandoc(type(self).__doc__ or "").partition("\n")[0].rstrip(".")


class ConfigurationError(EnergiaError):
    """The configuration does not fit."""

    code = "configuration"


class PluginError(ConfigurationError):
    """A plugin could not be loaded."""

    code = "plugin"


class MigrationError(EnergiaError):
    """The database could not be migrated."""

    code = "migration"


class Inexact(EnergiaError, TypeError):
    """A charge gives a number that is not exact."""

    code = "inexact"


class Malformed(EnergiaError):
    """The request cannot be parsed."""

    status = HTTPStatus.BAD_REQUEST
    code = "malformed"


class Unauthenticated(EnergiaError):
    """It is not known who asks."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthenticated"


class Forbidden(EnergiaError):
    """Who asks may not do this."""

    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class NotFound(EnergiaError):
    """There is no such thing."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class NotAcceptable(EnergiaError):
    """None of the accepted media types can be given."""

    status = HTTPStatus.NOT_ACCEPTABLE
    code = "not_acceptable"


class TooSlow(EnergiaError):
    """The body of the request came too slowly."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "too_slow"


class Conflict(EnergiaError):
    """The request conflicts with what is stored."""

    status = HTTPStatus.CONFLICT
    code = "conflict"


class InUse(Conflict):
    """Something else refers to it."""

    code = "in_use"


class KeyInFlight(Conflict):
    """A request with this Idempotency-Key is being answered."""

    code = "idempotency_key_in_flight"
    retry_after = 1


class AnswerNotKept(Conflict):
    """The request was answered, with a secret that is kept nowhere."""

    code = "answer_not_kept"


class PreconditionFailed(EnergiaError):
    """It is not what the request says it is."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "precondition_failed"


class TooLarge(EnergiaError):
    """The request is over a limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large"


class UnsupportedMedia(EnergiaError):
    """The media type or encoding of the body is not supported."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media"
    #: The media type that a patch must have, where this is one (the `Accept-Patch` header).
    accept_patch: str | None = None


class Invalid(EnergiaError):
    """The request does not fit."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid"


class NotSupported(Invalid):
    """Not supported yet."""

    code = "not_supported"


class ReadingsDeleted(Invalid):
    """The readings were deleted, as a law asks."""

    code = "readings_deleted"


class KeyReused(Invalid):
    """The Idempotency-Key is that of another request."""

    code = "idempotency_key_reused"


class VersionsOverlap(Invalid):
    """Versions of a tariff overlap."""

    code = "versions_overlap"


class IncompleteUsage(Invalid):
    """Readings are missing in the window."""

    code = "incomplete_usage"


class IncompletePrices(Invalid):
    """Prices are missing in the window."""

    code = "incomplete_prices"


class AmbiguousChannel(Invalid):
    """The meter has several channels of this role."""

    code = "ambiguous_channel"


class DatabaseError(EnergiaError):
    """The database refused a statement."""

    code = "database"


class UniqueViolation(DatabaseError):
    """A row with this key exists already.

    What a request can be told beforehand is looked up beforehand: this is left where another
    request was faster.
    """

    status = HTTPStatus.CONFLICT
    code = "unique_violation"


class ForeignKeyViolation(DatabaseError):
    """A row refers to another one.

    As for `UniqueViolation`: what it refers to went meanwhile, or what refers to it came.
    """

    status = HTTPStatus.CONFLICT
    code = "foreign_key_violation"


class DatabaseExists(DatabaseError):
    """The server has a database of this name already."""


class NoSuchDatabase(DatabaseError):
    """The server has no database of this name."""


class DatabaseInUse(DatabaseError):
    """Others are connected to the database, so it can be neither copied nor dropped."""


class NotPermitted(DatabaseError):
    """The role may not do this."""


class DatabaseAway(EnergiaError):
    """The database is away."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "database_away"
    retry_after = 5


class DatabaseRefused(DatabaseAway):
    """The database does not let the service in.

    No such database or role, a wrong password: waiting does not mend it. A service that starts ends
    with it; to the clients of one that runs, the database is away.
    """


class DatabaseFull(DatabaseAway):
    """The database has no room left."""

    code = "database_full"
    retry_after = 60


class PoolExhausted(DatabaseAway):
    """All database connections are busy."""

    code = "pool_exhausted"
    retry_after = 1


class StatementTimeout(DatabaseAway):
    """The database took too long."""

    code = "statement_timeout"


class LockTimeout(DatabaseAway):
    """The database waited too long for a lock."""

    code = "lock_timeout"
    retry_after = 1


class Deadlock(LockTimeout):
    """Several requests waited for each other in the database; send this one again."""

    code = "deadlock"


class TooFast(EnergiaError):
    """The caller has asked too fast, or for too much."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_fast"

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        """State that the caller is to wait for *retry_after* seconds."""
        super().__init__(detail)
        self.retry_after = retry_after


class Busy(EnergiaError):
    """Too many requests are being answered."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "busy"
    retry_after = 1


class TimedOut(EnergiaError):
    """The request took too long."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "timed_out"
    retry_after = 60


# Says which known name a misspelt one may have meant.


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean ...?)` where one of *known* begins with or is near *name*."""
    names = list(known)
    begins = [candidate for candidate in names if name and candidate.startswith(name)]
    close = begins if len(begins) == 1 else difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


#: So many names are listed; more would hide the one that is looked for.
_LISTED: Final = 12


def meant_or_known(name: str, known: Iterable[str]) -> str:
    """Return the one of *known* that *name* may mean, or all of them if they are few."""
    names = list(known)
    if meant := did_you_mean(name, names):
        return meant
    return f"; there are {', '.join(names)}" if 0 < len(names) <= _LISTED else ""


def exits(error: SystemExit) -> str:
    """Return what is said of code that would end the process."""
    return f"it calls sys.exit({error.code!r})"
