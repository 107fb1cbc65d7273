"""Code that blocks an event loop is named in the log."""

import asyncio
import threading
import time

from irene_wyoming.app.stalls import Stall, short, watched


def busy(seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        pass


async def test_a_stall_is_timed_and_named() -> None:
    def named() -> list[Stall]:
        """The stalls that were seen in busy."""
        return [stall for stall in stalls if stall.seconds > 0.2 and stall.calls[0].startswith("busy (")]

    async with watched(0.05) as stalls:
        async with asyncio.timeout(60):
            while not named():  # a busy machine may keep the watcher from looking in time
                busy(0.3)
                await asyncio.sleep(0.02)
    assert "test_a_stall_is_timed_and_named" in named()[0].calls[1]
    assert str(named()[0]).startswith(f"{named()[0].seconds * 1000:.0f} ms in busy (")


async def test_the_work_of_another_thread_is_named_too() -> None:
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            busy(0.001)

    thread = threading.Thread(target=work, name="engine")
    thread.start()
    async with watched(0.05) as stalls:
        async with asyncio.timeout(60):
            while not any("engine" in stall.others for stall in stalls):
                busy(0.3)
                await asyncio.sleep(0.02)
    over.set()
    thread.join()


async def test_the_watch_ends_with_its_context() -> None:
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    async with watched(0.05):
        assert asyncio.all_tasks() > tasks
    assert asyncio.all_tasks() == tasks
    assert not {thread for thread in set(threading.enumerate()) - threads if thread.name == "stalls"}


def test_files_are_named_as_a_reader_knows_them() -> None:
    assert short("/x/lib/python3.11/site-packages/numpy/lib.py") == "numpy/lib.py"
    assert short("/x/lib/python3.11/json/decoder.py") == "json/decoder.py"
    assert short("/home/me/irene_wyoming/servers/wake.py") == "irene_wyoming/servers/wake.py"
    assert str(Stall(0.1, ("a (b:1)",), {"guided": ("c (d:2)",)})) == "100 ms in a (b:1); guided: c (d:2)"
