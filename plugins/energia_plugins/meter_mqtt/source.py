"""The source: messages of a broker, stored and then acknowledged."""

import asyncio
from collections.abc import Mapping
from typing import Final

from energia import Emit, Problem
from energia.time import instant_of
from energia_plugins.meter_mqtt.mapping import MessageMapping
from energia_plugins.meter_mqtt.reader import Reader
from energia_plugins.meter_mqtt.session import Session
from energia_plugins.meter_mqtt.settings import Settings

#: Where the state has the filters of topics that the broker knows of us.
_FILTERS: Final = "filters"


class Mqtt:
    """Readings of one broker."""

    name = "mqtt"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._mappings = [MessageMapping(topic) for topic in settings.topics.values()]

    @property
    def organization(self) -> int:
        """The key of the organization that the meters are of."""
        return self._settings.organization

    async def run(self, emit: Emit) -> None:
        """Store what the broker sends, and acknowledge it after the commit."""
        reader = Reader(self._mappings, emit.state)
        filters = self._filters()
        former = [each for each in emit.state.get(_FILTERS, ()) if each not in filters]
        settings = self._settings
        now = lambda: instant_of(emit.now())  # noqa: E731
        async with Session.opened(settings, now, filters, former) as session:
            await emit.save({_FILTERS: list(filters)})
            emit.connected()
            while True:
                messages = await session.batch()
                batch = await asyncio.to_thread(reader.read, messages)
                if number := session.left_out():
                    text = f"{number} messages came faster than they could be stored"
                    batch.problems.append(Problem(len(messages), "left_out", text))
                await emit(batch.items, state=batch.state)
                session.acknowledge(messages)

    def _filters(self) -> Mapping[str, int]:
        """Return the quality of service of each filter of topics.

        Messages that say their time are sent again until they are stored. One that is as of its
        arrival must not come late: the broker keeps none of those for us.
        """
        filters: dict[str, int] = {}
        for mapping in self._mappings:
            filters[mapping.filter] = max(filters.get(mapping.filter, 0), int(mapping.is_timed))
        return filters
