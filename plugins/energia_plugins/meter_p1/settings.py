"""`[plugins.meter-p1]`: which meters are listened to."""

from typing import Annotated

import attrs
from msgspec import Meta

from energia import Id


@attrs.frozen(kw_only=True)
class Meter:
    """A meter whose telegrams come over TCP.

    Attributes:
        host: The bridge: a ser2net, or a dongle that serves its telegrams.
        port: Its port.
        options: The options of the format `dsmr`, such as `meter`, `channels` and `tolerance`.
        timeout: For how many seconds the bridge may be silent.

    """

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65_535)]
    options: dict[str, str] = attrs.field(factory=dict)
    timeout: Annotated[float, Meta(gt=0)] = 60.0


@attrs.frozen(kw_only=True)
class Settings:
    """Which meters are listened to.

    Attributes:
        organization: The key of the organization that the meters are of.
        meters: The meters, by names of your own; each is a source, `p1-<name>`.

    """

    organization: Annotated[int, Meta(ge=1)] = 1
    meters: dict[Id, Meter] = attrs.field(factory=dict)
