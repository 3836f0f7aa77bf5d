"""The charge `reactive`: reactive energy and demand beyond a power factor, or beyond a share."""

from energia import Charge, hookimpl
from energia_plugins.tariff_reactive.charge import Reactive


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Reactive]
