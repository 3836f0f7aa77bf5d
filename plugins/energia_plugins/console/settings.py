"""`[plugins.console]`."""

from typing import Annotated

import attrs
from msgspec import Meta

Seconds = Annotated[float, Meta(gt=0)]


@attrs.frozen(kw_only=True)
class Settings:
    """`[plugins.console]`.

    Attributes:
        idle: Seconds after which a session ends that nobody uses.
        lifetime: Seconds after which a session ends however much it is used.

    """

    idle: Seconds = 3_600.0
    lifetime: Seconds = 43_200.0
