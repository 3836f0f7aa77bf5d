"""How far a service is: it starts, migrates, serves, drains, has stopped."""

from enum import StrEnum

import attrs

from energia.health.heartbeat import Heartbeat


class Phase(StrEnum):
    """What a service is doing."""

    STARTING = "starting"
    MIGRATING = "migrating"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"


@attrs.define(eq=False)
class State:
    """The state of one service; its life cycle writes it, everybody reads it.

    Attributes:
        phase: What the service is doing.
        usable: Whether the database was reached and migrated: statements may be sent.
        closing: Whether it was asked to stop; clients are then asked to open new connections, and
            what works in the background takes nothing new.
        heartbeat: Whether the event loop turns.

    """

    phase: Phase = Phase.STARTING
    usable: bool = attrs.field(init=False)
    closing: bool = attrs.field(default=False, init=False)
    heartbeat: Heartbeat = attrs.field(factory=Heartbeat, init=False)

    def __attrs_post_init__(self) -> None:
        """Let a service that is made ready (in a test, say) use its database."""
        self.usable = self.phase is Phase.READY

    def enter(self, phase: Phase) -> None:
        """Note how far the start is, unless the service was asked to stop."""
        if not self.closing:
            self.phase = phase

    def ready(self) -> None:
        """Note that the database is migrated and the plugins have started."""
        self.usable = True
        self.enter(Phase.READY)
