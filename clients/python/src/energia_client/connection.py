"""What the operations share: the connection, answers and errors."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar, overload

from energia_client.generated.client import AuthenticatedClient
from energia_client.generated.models import Fault, Problem
from energia_client.generated.types import Response

T = TypeVar("T")
U = TypeVar("U")
Item = TypeVar("Item")


class ProblemError(Exception):
    """The service answered with an error.

    Attributes:
        problem: The problem document.
        status: The HTTP status.
        code: The stable name of the error, such as `incomplete_usage`.
        errors: All that is wrong, each with a JSON pointer.

    """

    def __init__(self, problem: Problem) -> None:
        """Tell of a problem, and of the first thing that is wrong."""
        self.problem = problem
        self.status, self.code = problem.status, problem.code
        self.errors: list[Fault] = problem.errors or []
        first = f" ({self.errors[0].pointer}: {self.errors[0].message})" if self.errors else ""
        super().__init__(
            f"{problem.status} {problem.code}: {problem.detail or problem.title}{first}"
            f" [{problem.request_id}]"
        )


class NoAnswer(Exception):
    """What answered is not the service: its answer is none that the document knows."""


class _Page(Protocol[Item]):
    items: list[Item]
    next_: str | None


class Connection:
    """A connection to the service."""

    _client: AuthenticatedClient

    @overload
    def _answer(self, parsed: object, kind: type[T], /) -> T: ...
    @overload
    def _answer(self, parsed: object, kind: type[T], other: type[U], /) -> T | U: ...
    def _answer(self, parsed: object, *kinds: type[Any]) -> Any:
        """Return an answer, which is of one of some kinds; raises `ProblemError` and `NoAnswer`."""
        if isinstance(parsed, Problem):
            raise ProblemError(parsed)
        if not isinstance(parsed, kinds):
            raise NoAnswer(f"the answer is no {' or '.join(kind.__name__ for kind in kinds)}")
        return parsed

    def _done(self, response: Response[Any]) -> None:
        """Raise `ProblemError` where something was not done."""
        if isinstance(response.parsed, Problem):
            raise ProblemError(response.parsed)

    def _items(self, page: Callable[[str], object], kind: type[_Page[Item]]) -> Iterator[Item]:
        """Yield the items of all pages, each page when the one before it is through."""
        cursor: str | None = ""
        while cursor is not None:
            found: _Page[Item] = self._answer(page(cursor), kind)
            yield from found.items
            cursor = found.next_
