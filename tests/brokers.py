"""A real MQTT broker for a test, mosquitto, and somebody who publishes to it."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.e2e.service import free_port


@attrs.define(eq=False)
class Broker:
    """A broker on loopback, whose sessions outlive it.

    Attributes:
        folder: Where it keeps its configuration and its sessions.
        port: Its port.
        queued: How many messages it keeps for a session that is away; its own default is 1000.
        more: Further lines of its configuration.
        process: The program, while it runs.

    """

    folder: Path
    port: int = attrs.Factory(free_port)
    queued: int = 100_000
    more: tuple[str, ...] = ()
    process: "asyncio.subprocess.Process | None" = None

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {self.folder}/",
            f"max_queued_messages {self.queued}",
            "connection_messages false",
            *self.more,
        ]
        if os.geteuid() == 0:
            lines.append("user root")
        path = self.folder / "mosquitto.conf"
        path.write_text("".join(f"{line}\n" for line in lines))
        quiet = asyncio.subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec(
            "mosquitto", "-c", str(path), stdout=quiet, stderr=quiet
        )
        async with asyncio.timeout(20):
            while not _listens(self.port):
                assert self.process.returncode is None, "the broker has ended"
                await asyncio.sleep(0.02)

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it; SIGTERM lets it save its sessions."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(how)
        await asyncio.wait_for(self.process.wait(), 20)

    async def publish(
        self, messages: Iterable[tuple[str, bytes]], qos: int = 1, *, retain: bool = False
    ) -> None:
        """Publish messages; with *qos* 1, return once the broker has accepted all of them."""
        await asyncio.to_thread(self._publish, list(messages), qos, retain)

    def _publish(self, messages: list[tuple[str, bytes]], qos: int, retain: bool) -> None:
        client = Client(CallbackAPIVersion.VERSION2)
        client.max_inflight_messages_set(1000)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        sent = [client.publish(topic, payload, qos, retain) for topic, payload in messages]
        for one in sent:
            one.wait_for_publish(60)
        client.disconnect()
        client.loop_stop()


@asynccontextmanager
async def broker(folder: Path, **more: Any) -> AsyncIterator[Broker]:
    """Run a broker."""
    folder.mkdir(exist_ok=True)
    found = Broker(folder, **more)
    await found.start()
    try:
        yield found
    finally:
        if found.process is not None and found.process.returncode is None:
            found.process.kill()
            await found.process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
