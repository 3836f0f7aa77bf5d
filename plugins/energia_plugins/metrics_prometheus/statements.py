"""What is measured of the statements that are sent to the database."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from prometheus_client import Histogram
from prometheus_client.registry import Collector

from energia.db.tenant import statement_of

#: What statements begin with that are told apart; any other is `other`.
OPERATIONS: Final = frozenset(
    {"select", "insert", "update", "delete", "with", "begin", "commit", "rollback", "set"}
)
_WORD: Final = re.compile(r"[a-z]*", re.IGNORECASE)
#: In seconds; the last is the time limit of a statement.
BUCKETS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


class Statements:
    """Times statements by the word that they begin with."""

    def __init__(self) -> None:
        self._duration = Histogram(
            "db_query_duration_seconds",
            "How long statements took, by their first word.",
            ["operation"],
            buckets=BUCKETS,
            registry=None,
        )
        self._wait = Histogram(
            "db_pool_wait_seconds", "Waits for a database connection.",
            buckets=(0.0001, *BUCKETS), registry=None,
        )  # fmt: skip

    def collectors(self) -> list[Collector]:
        """Return what is measured."""
        return [self._duration, self._wait]

    @property
    def waited(self) -> Callable[[float], None]:
        """What observes a wait for a connection."""
        return self._wait.observe

    def sent(self, message: str, seconds: float) -> None:
        """Observe a message."""
        self._duration.labels(operation(message)).observe(seconds)


@lru_cache(maxsize=512)
def operation(message: str) -> str:
    """Return the first word of the statement in *message*, or `other`."""
    word = _WORD.match(statement_of(message).lstrip())
    assert word is not None
    return word[0].lower() if word[0].lower() in OPERATIONS else "other"
