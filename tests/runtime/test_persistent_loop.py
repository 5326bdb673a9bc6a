import asyncio
import contextvars
import threading
from collections.abc import Iterator

import pytest

from momento_lambda.runtime import persistent_loop

PATIENT = 30.0
SEEN: contextvars.ContextVar[str] = contextvars.ContextVar("SEEN", default="nothing")


@pytest.fixture(autouse=True)
def close_loop() -> Iterator[None]:
    """Close the loop of the test's thread."""
    yield
    persistent_loop.close()


async def loop() -> asyncio.AbstractEventLoop:
    """Return the loop that runs this."""
    return asyncio.get_running_loop()


def test_one_loop_from_run_to_run() -> None:
    """Each run of a thread is on one loop, which stays open in between."""
    first = persistent_loop.run(loop())
    assert first is persistent_loop.run(loop())
    assert not first.is_closed()


def test_tasks_go_on_in_the_next_run() -> None:
    """What a run leaves on the loop stands still, and goes on in the next."""

    async def leave() -> "asyncio.Task[str]":
        async def work() -> str:
            await asyncio.sleep(0)
            return "done"

        return asyncio.create_task(work())

    async def join(task: "asyncio.Task[str]") -> str:
        return await task

    task = persistent_loop.run(leave())
    assert "done" == persistent_loop.run(join(task))


def test_a_head_start() -> None:
    """What was begun runs in the background, on the loop that this thread runs on later."""
    seen: list[object] = []
    over = threading.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        seen.extend([asyncio.get_running_loop(), threading.current_thread()])
        over.set()

    persistent_loop.begin(work())
    assert over.wait(PATIENT)
    assert persistent_loop.run(loop()) is seen[0]
    assert threading.current_thread() is not seen[1]


def test_a_head_start_that_is_not_over() -> None:
    """When this thread wants its loop it gets it, and what was begun goes on beside what it runs, however many."""
    began = [threading.Event() for _ in range(2)]
    threads: list[threading.Thread] = []
    go_on = asyncio.Event()

    async def work(event: threading.Event) -> None:
        event.set()
        await go_on.wait()
        threads.append(threading.current_thread())

    async def let_go_on() -> None:
        go_on.set()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    for event in began:
        persistent_loop.begin(work(event))
        assert event.wait(PATIENT)
    persistent_loop.run(let_go_on())
    assert [threading.current_thread()] * 2 == threads


def test_a_head_start_is_taken_back() -> None:
    """Taken back, or closed, the loop stands still; there need be nothing to take back."""
    ticked = threading.Event()

    async def tick() -> None:
        while True:
            ticked.set()
            await asyncio.sleep(0)

    persistent_loop.take_back()
    persistent_loop.begin(tick())
    assert ticked.wait(PATIENT)
    persistent_loop.take_back()
    ticked.clear()
    assert not ticked.is_set()
    assert not persistent_loop.run(loop()).is_running()
    persistent_loop.begin(tick())
    assert ticked.wait(PATIENT)
    persistent_loop.close()


def test_each_thread_has_its_own() -> None:
    """Threads do not share a loop."""
    loops = [persistent_loop.run(loop())]

    def other() -> None:
        loops.append(persistent_loop.run(loop()))
        persistent_loop.close()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert loops[0] is not loops[1]


def test_closing() -> None:
    """Closing ends the loop; the next run opens another; closing where there is none does nothing."""
    first = persistent_loop.run(loop())
    persistent_loop.close()
    persistent_loop.close()
    assert first.is_closed()
    assert first is not persistent_loop.run(loop())


def test_exceptions_are_the_callers() -> None:
    """What the coroutine raises is raised, the same object, and the loop goes on."""
    error = KeyboardInterrupt()

    async def fail() -> None:
        raise error

    first = persistent_loop.run(loop())
    with pytest.raises(KeyboardInterrupt) as caught:
        persistent_loop.run(fail())
    assert error is caught.value
    assert first is persistent_loop.run(loop())


def test_context_variables() -> None:
    """Each run sees the caller's context variables as they are now, and what it sets ends with it."""

    async def see() -> str:
        seen = SEEN.get()
        SEEN.set("left behind")
        return seen

    seen = []
    for text in ("one", "two"):
        token = SEEN.set(text)
        seen.append(persistent_loop.run(see()))
        SEEN.reset(token)
    seen.append(persistent_loop.run(see()))
    assert ["one", "two", "nothing"] == seen


async def test_not_inside_a_running_loop() -> None:
    """Where a loop is running already, the coroutine is to be awaited there, and the error says so."""
    coroutine = loop()
    with pytest.raises(RuntimeError, match="running event loop"):
        persistent_loop.run(coroutine)
    assert asyncio.get_running_loop() is await coroutine
