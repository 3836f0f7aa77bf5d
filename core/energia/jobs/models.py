"""Jobs as clients see them: what was asked for, how far it is, what it has given."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import attrs
from msgspec import Meta

from energia.errors import EnergiaError, Fault

#: How a job stands.
JobStatus = Literal["waiting", "running", "succeeded", "failed", "cancelled"]

Count = Annotated[int, Meta(ge=0)]


@attrs.frozen
class JobProgress:
    """How far a job is.

    Attributes:
        done: How much is done: contracts of a run, megabytes of a file, readings of an export.
        total: How much there is in all; null while that is not known.

    """

    done: Count
    total: Count | None


@attrs.frozen
class JobProblem:
    """Why a job has failed, as the answer to its request would have said.

    Attributes:
        code: The stable name of the error.
        title: What kind of error it is.
        status: The HTTP status that it has in an answer.
        detail: What went wrong this time.
        errors: What does not fit, each with its place; the first of them if they are many.
        error_counts: How many of each code there are, those that are not listed included.

    """

    code: str
    title: str
    status: int
    detail: str | None = None
    errors: tuple[Fault, ...] | None = None
    error_counts: Mapping[str, int] | None = None

    @classmethod
    def of(cls, error: EnergiaError, most: int) -> Self:
        """Return what is told of an error, of whose faults at most so many are listed."""
        return cls(
            code=error.code,
            title=error.title,
            status=error.status.value,
            detail=error.detail or None,
            errors=error.faults[:most] or None,
            error_counts=dict(error.counts) or None,
        )


@attrs.frozen
class Job:
    """Something that outlives the request that began it.

    Attributes:
        id: The id of the job.
        kind: What it does: `bills.run`, `bills.reprice`, `readings.import`, `readings.export`.
        status: `waiting` for a worker, `running`, or how it has ended.
        progress: How far it is.
        tries: How often it was begun: again where a worker stopped before its end.
        result: What the answer to its request would have been; null until it has succeeded.
        problem: Why it has failed; null unless it has.
        created_by: The id of the caller that began it.
        created_at: When it was asked for.
        started_at: When it was begun first.
        ended_at: When it ended, in whatever way.

    """

    id: str
    kind: str
    status: JobStatus
    progress: JobProgress
    tries: int
    result: Mapping[str, Any] | None
    problem: JobProblem | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
