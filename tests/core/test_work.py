"""CPU work beside the event loop: places by caller, a queue that ends, and work that stops."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from energia.errors import Busy
from energia.work import ASKER, Asker, Workers, checkpoint, off_loop


@pytest.fixture(name="workers")
def _workers() -> Iterator[Workers]:
    """Give two threads, and a queue of four."""
    workers = Workers(2, 4)
    yield workers
    workers.close()


class Client:
    """Somebody who waits for work."""

    def __init__(self, workers: Workers, caller: str = "one") -> None:
        self.asker = Asker(workers, caller)

    def asks(self) -> "asyncio.Task[None]":
        """Ask for work that goes on until nobody waits for it."""
        return asyncio.create_task(self.asker.workers.run(self.asker, endless))


def endless() -> None:
    """Compute until it is stopped."""
    while True:
        checkpoint()
        time.sleep(0.001)


async def idle(workers: Workers) -> None:
    """Wait until no thread is at work: at most a second."""
    async with asyncio.timeout(1):
        while workers.running:
            await asyncio.sleep(0.01)


async def test_work_is_done_in_a_thread(workers: Workers) -> None:
    """The event loop goes on meanwhile."""
    ASKER.set(Client(workers).asker)

    assert await off_loop(threading.get_ident) != threading.get_ident()


async def test_work_of_a_client_that_left_stops(workers: Workers) -> None:
    """Its thread is free within a second."""
    task = Client(workers).asks()
    await asyncio.sleep(0.05)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await idle(workers)


async def test_work_out_of_time_stops(workers: Workers) -> None:
    """A request that is cancelled at its deadline burns nothing after it."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Client(workers).asks(), 0.05)

    await idle(workers)


async def test_one_caller_leaves_a_thread_to_others(workers: Workers) -> None:
    """Of two threads it has one, however much it asks for."""
    greedy = [Client(workers).asks() for _ in range(3)]
    await asyncio.sleep(0.05)

    other = Client(workers, "other").asker
    assert (workers.running, workers.waiting) == (1, 2)
    assert await asyncio.wait_for(workers.run(other, lambda: 7), 1) == 7

    for task in greedy:
        task.cancel()
    await asyncio.gather(*greedy, return_exceptions=True)
    await idle(workers)


async def test_a_full_queue_is_said(workers: Workers) -> None:
    """A caller that has half of the queue is told to come back, by the name of the limit."""
    tasks = [Client(workers).asks() for _ in range(3)]
    await asyncio.sleep(0.05)

    with pytest.raises(Busy, match=r"limits\.queue") as caught:
        await workers.run(Client(workers).asker, endless)

    assert (caught.value.status, caught.value.retry_after) == (503, 1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_request_that_is_being_answered_is_not_refused(workers: Workers) -> None:
    """What it needs after its first piece of work waits for a place, whatever the queue."""
    client = Client(workers)
    await workers.run(client.asker, lambda: None)
    others = [Client(workers).asks() for _ in range(3)]
    await asyncio.sleep(0.05)

    answer = asyncio.create_task(workers.run(client.asker, lambda: 7))
    await asyncio.sleep(0.05)
    for task in others:
        task.cancel()

    assert await asyncio.wait_for(answer, 1) == 7
    await asyncio.gather(*others, return_exceptions=True)


async def test_a_client_that_leaves_the_queue_is_forgotten(workers: Workers) -> None:
    """Nobody's work begins once nobody waits for it."""
    busy, waiting = Client(workers), Client(workers)
    tasks = [busy.asks(), waiting.asks()]
    await asyncio.sleep(0.05)

    tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
    assert workers.waiting == 0

    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await idle(workers)


async def test_work_without_a_request_is_done(workers: Workers) -> None:
    """Commands and background work have no place, and wait for none."""
    assert await off_loop(lambda: 7) == 7
