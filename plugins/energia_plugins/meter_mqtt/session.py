"""A session at a broker: messages in, acknowledgements out, one connection long.

The client library works in a thread of its own. What it receives waits here, within bounds: the
broker sends no more than `max_inflight` messages that want an acknowledgement, and of others, which
nobody sends again, those that find no place are left out and counted.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Self

from energia import SourceFailed
from energia.time import Instant
from energia_plugins.meter_mqtt.mapping import Message
from energia_plugins.meter_mqtt.settings import Settings

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

#: Seconds for a connection, and for an answer to what we ask the broker.
_TIMEOUT: Final = 10.0
#: Messages without acknowledgement that may wait, as a multiple of those with it.
_ROOM: Final = 10
#: The reasons of MQTT from which on something was refused.
_REFUSED: Final = 128


class Session:
    """What a broker sends us over one connection."""

    def __init__(self, settings: Settings, now: Callable[[], Instant]) -> None:
        self._settings, self._now = settings, now
        self._loop = asyncio.get_running_loop()
        self._inbox = deque[Message]()
        self._arrival = asyncio.Event()
        self._is_told = False
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._end: str | None = None
        self._client = self._made()
        self._left_out = 0

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        settings: Settings,
        now: Callable[[], Instant],
        filters: Mapping[str, int],
        former: Sequence[str],
    ) -> AsyncIterator[Self]:
        """Give a session with subscriptions, until the block is left.

        Args:
            settings: The broker.
            now: Tells the time.
            filters: The qualities of service, by the filter of topics.
            former: Filters of an earlier run, which are given up.

        Raises:
            SourceFailed: The broker is away, or refuses something.

        """
        session = cls(settings, now)
        try:
            await session._connect()
            await session._subscribe(filters, former)
            yield session
        finally:
            await asyncio.shield(asyncio.to_thread(session._close))

    async def batch(self) -> list[Message]:
        """Return the next messages, when there are any; raises `SourceFailed` at the end."""
        size = self._settings.batch
        while not self._inbox:
            if self._end is not None:
                raise SourceFailed(self._end)
            self._arrival.clear()
            self._is_told = False
            if not self._inbox and self._end is None:
                await self._arrival.wait()
        if len(self._inbox) < size:
            await asyncio.sleep(self._settings.gather)
        return [self._inbox.popleft() for _ in range(min(size, len(self._inbox)))]

    def left_out(self) -> int:
        """Return how many messages have found no place here since it was asked last."""
        number, self._left_out = self._left_out, 0
        return number

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Let the broker forget messages."""
        for message in messages:
            if message.number:
                self._client.ack(message.number, 1)

    # What runs in the event loop.

    async def _connect(self) -> None:
        settings = self._settings
        port = settings.port or (8883 if settings.tls else 1883)
        try:
            await asyncio.to_thread(self._dial, port)
            self._client.loop_start()
            await asyncio.wait_for(self._connected, _TIMEOUT)
        except TimeoutError:
            raise SourceFailed("the broker does not answer") from None
        except (OSError, ValueError) as error:  # no route, no name, no trust
            raise SourceFailed(f"the broker is away: {error}") from error

    async def _subscribe(self, filters: Mapping[str, int], former: Sequence[str]) -> None:
        for filter_ in former:
            self._client.unsubscribe(filter_)
        self._client.subscribe(list(filters.items()))
        try:
            await asyncio.wait_for(self._subscribed, _TIMEOUT)
        except TimeoutError:
            raise SourceFailed("the broker does not answer to our subscriptions") from None

    # What runs in the thread of the client library.

    def _made(self) -> "Client":
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        settings, is_5 = self._settings, self._settings.protocol == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            settings.client_id,
            clean_session=None if is_5 else False,
            protocol=MQTTProtocolVersion.MQTTv5 if is_5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = _TIMEOUT
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password.get_secret_value())
        return client

    def _dial(self, port: int) -> None:
        """Connect, which takes a while."""
        settings = self._settings
        if settings.tls:
            self._client.tls_set_context(_context(settings))
        host, keepalive = settings.broker or "", settings.keepalive
        if settings.protocol == "5":
            more = {"clean_start": False, "properties": self._properties()}
            self._client.connect(host, port, keepalive, **more)
        else:
            self._client.connect(host, port, keepalive)

    def _properties(self) -> Any:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._settings.session
        properties.ReceiveMaximum = self._settings.max_inflight
        return properties

    def _close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        refused = f"the broker refuses us: {reason}" if reason.value >= _REFUSED else None
        self._loop.call_soon_threadsafe(_settle, self._connected, refused)

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: Any, _more: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.value >= _REFUSED]
        text = f"the broker refuses a topic: {refused[0]}" if refused else None
        self._loop.call_soon_threadsafe(_settle, self._subscribed, text)

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any
    ) -> None:
        self._end = f"the connection has ended: {reason}"
        self._loop.call_soon_threadsafe(self._ended)

    def _on_message(self, client: "Client", _data: Any, message: "MQTTMessage") -> None:
        kept = self._kept(message)
        if kept is None:
            if message.qos:
                client.ack(message.mid, message.qos)
            return
        self._inbox.append(kept)
        if not self._is_told:
            self._is_told = True
            self._loop.call_soon_threadsafe(self._arrival.set)

    def _kept(self, message: "MQTTMessage") -> Message | None:
        """Return a message that is kept; None for one that says what was, or has no place."""
        if message.retain:
            return None
        if not message.qos and len(self._inbox) >= _ROOM * self._settings.max_inflight:
            self._left_out += 1
            return None
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return None
        number = message.mid if message.qos else 0
        return Message(topic, bytes(message.payload), self._now(), bool(message.dup), number)

    def _ended(self) -> None:
        for future in (self._connected, self._subscribed):
            _settle(future, self._end)
        self._arrival.set()


class _Socket(ssl.SSLSocket):
    """An encrypted connection that is closed where it is not trusted: the client would leave it."""

    def do_handshake(self, block: bool = False) -> None:
        """Agree with the other side."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca)
    context.sslsocket_class = _Socket
    if settings.certificate is not None:
        context.load_cert_chain(settings.certificate, settings.key)
    return context


def _settle(future: "asyncio.Future[None]", refused: str | None) -> None:
    """Tell who waits that it is done, or why not."""
    if future.done():
        return
    if refused is None:
        future.set_result(None)
    else:
        future.set_exception(SourceFailed(refused))
        future.exception()  # it may be that nobody waits for it
