"""Which lines of a bill a later charge is about: the base of a tax, of a discount, of a minimum."""

from collections.abc import Iterator, Sequence
from typing import Annotated, TypeAlias

import attrs
from msgspec import Meta

from energia.pricing.lines import BillSoFar, Line

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,64}$", examples=["supply"])]
Tag = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="A mark that later charges look for.",
        examples=["untaxed"],
    ),
]
Codes: TypeAlias = Annotated[tuple[Code, ...], Meta(min_length=1, max_length=200)]
Tags: TypeAlias = Annotated[tuple[Tag, ...], Meta(max_length=50)]


@attrs.frozen(cache_hash=True)
class Selection:
    """Lines of the charges before: all of them, if nothing is said.

    Attributes:
        charges: Only those of the charges with these codes; they come before in the version.
        periods: Only those of these periods.
        components: Only those of these parts of a rate.
        tags: Only those with one of these tags.
        without_tags: None of those with one of these tags.

    """

    charges: Codes | None = None
    periods: Tags | None = None
    components: Tags | None = None
    tags: Tags | None = None
    without_tags: Tags = ()

    def matches(self, line: Line) -> bool:
        """Tell whether *line*, which is on the bill so far, is selected."""
        return (
            (self.charges is None or line.charge in self.charges)
            and (self.periods is None or line.period in self.periods)
            and (self.components is None or line.component in self.components)
            and (self.tags is None or _any(self.tags, line.tags))
            and not _any(self.without_tags, line.tags)
        )

    def lines(self, bill: BillSoFar) -> Iterator[Line]:
        """Yield the selected lines of *bill*, in their order."""
        return (line for line in bill.lines if self.matches(line))


def _any(wanted: Sequence[str], there: Sequence[str]) -> bool:
    return not set(wanted).isdisjoint(there)
