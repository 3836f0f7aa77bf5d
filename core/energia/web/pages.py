"""Lists, page by page."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import attrs
from msgspec import Meta

T = TypeVar("T")

#: How many things a page has.
Limit = Annotated[int, Meta(ge=1, le=1000, description="How many to return at most.")]
#: Where a page begins.
Cursor = Annotated[str, Meta(max_length=100, description="The `next` of the page before.")]


@attrs.frozen
class Page(Generic[T]):
    """Some of a list.

    Attributes:
        items: At most `limit` of them.
        next: The `cursor` of the next page, or null if this is the last.

    """

    items: tuple[T, ...]
    next: str | None


def page(found: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Page[T]:
    """Return a page of *found*, one more than *limit* of which shows that there is another."""
    more = len(found) > limit
    return Page(tuple(found[:limit]), cursor(found[limit - 1]) if more else None)
