"""The headings of the documentation, in the order in which a reader needs them."""

from collections.abc import Iterable, Mapping
from typing import Final

from energia.web.routes import Route

#: The headings of the core's routes, each with what it is about; a plugin may use them too.
TAGS: Final[Mapping[str, str]] = {
    "Sites": "Where meters are: what decides the local time of days, and the currency.",
    "Meters": "Meters and their channels: each one quantity in one direction, slot by slot.",
    "Readings": "Quantities slot by slot: sent as JSON or as files, given back, and summed.",
    "Tariffs": "What energy costs: documents of charges, in versions by date.",
    "Holidays": "Lists of holidays, in versions that never change: tariffs copy their dates.",
    "Prices": "Series of prices that change from slot to slot: sent, or fetched by feeds.",
    "Costs": "Usage priced under tariffs, exactly, with every line explained; nothing is stored.",
    "Contracts": "Which tariff a meter is on, from when to when, with its parameters.",
    "Bills": "Periods of contracts, priced and kept: drafted, issued, explained, corrected.",
    "Catalogue": "What the loaded plugins offer: kinds of charge and formats of files.",
    "Service": "The service itself: its health, its metrics and this documentation.",
}


def tag_of(route: Route) -> str:
    """Return the heading of *route*: the one it states, or the first part of its path."""
    if route.tag is not None:
        return route.tag
    parts = [part for part in route.path.split("/") if part and part != "v1"]
    return parts[0] if parts else "Service"


def in_order(routes: Iterable[Route]) -> list[Route]:
    """Return *routes* by heading: the core's in their order, then those of plugins."""
    listed = list(routes)
    order = {tag: at for at, tag in enumerate(dict.fromkeys((*TAGS, *map(tag_of, listed))))}
    return sorted(listed, key=lambda route: order[tag_of(route)])


def described(routes: Iterable[Route]) -> list[dict[str, str]]:
    """Return the headings that *routes* have, as the document lists them."""
    return [
        {"name": tag} | ({"description": TAGS[tag]} if tag in TAGS else {})
        for tag in dict.fromkeys(map(tag_of, in_order(routes)))
    ]
