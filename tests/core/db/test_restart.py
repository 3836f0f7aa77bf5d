"""A server that dies under its clients, and comes back."""

import asyncio
import os
import signal
from collections.abc import Callable

from energia.db.embedded import Embedded
from energia.db.pool import Pool
from energia.errors import DatabaseAway
from energia.settings import Database
from tests.core.db.processes import postmaster


class Client:
    """Asks the server again and again."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.answers = 0
        self.faults: list[Exception] = []

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            try:
                async with self.pool.tenant().transaction() as queries:
                    self.answers += (await queries.fetch(int, "select 1"))[0]
                self.answers += (await self.pool.tenant().fetch(int, "select 1"))[0]
            except Exception as error:
                self.faults.append(error)
                await asyncio.sleep(0.01)

    async def answered(self) -> None:
        """Wait for the next answers."""
        seen = self.answers
        async with asyncio.timeout(60):
            while self.answers < seen + 5:
                await asyncio.sleep(0.01)


async def test_clients_recover_from_a_killed_server(embedded: Callable[[], Embedded]) -> None:
    """While the server is down its clients get `DatabaseAway`; afterwards all is as before."""
    server = embedded()
    pool = Pool(await asyncio.to_thread(server.start), Database(pool_size=4))
    clients = [Client(pool) for _ in range(8)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.run()) for client in clients]
        for _ in range(2):
            await asyncio.gather(*(client.answered() for client in clients))
            os.kill(postmaster(server), signal.SIGKILL)
            await asyncio.sleep(0.1)
        await asyncio.gather(*(client.answered() for client in clients))
        for task in tasks:
            task.cancel()
    faults = {type(fault) for client in clients for fault in client.faults}

    assert faults == {DatabaseAway}
    assert pool.stats.used == 0

    await pool.close()
