"""What a client says about a Green Button file."""

from typing import Annotated, Literal

import attrs
from msgspec import Meta

from energia import NameOptions, UnitName

PowerOfTen = Annotated[int, Meta(ge=-12, le=12)]


@attrs.frozen
class GreenButtonOptions(NameOptions):
    """What the file does not tell, and what stands for its names.

    A meter is called as the usage point in the links of the feed (`5446AF3F` of
    `.../UsagePoint/5446AF3F/...`), a channel by unit and direction: `Wh.forward`, `Wh.reverse`,
    `therm.forward`; where the feed tells no direction by the unit alone.

    Attributes:
        unit: The unit of readings of which the feed tells none.
        power_of_ten: Ten to this power multiplies these readings.
        accumulation: What readings are that the feed calls cumulative (2, 3) or a summation (9):
            reads of a `register`, or amounts of an `interval`, as some utilities mean.

    """

    unit: UnitName | None = None
    power_of_ten: PowerOfTen = 0
    accumulation: Literal["register", "interval"] = "register"
