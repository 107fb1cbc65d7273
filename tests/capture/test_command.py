import asyncio
import contextlib
import os
import signal
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.capture.base import Capture, Source
from irene_wyoming.capture.command import CommandCapture, CommandSource
from irene_wyoming.capture.guard import guarded_group
from irene_wyoming.capture.throttle import BURST_S
from irene_wyoming.errors import CaptureError
from irene_wyoming.stream.feed import Feed, FeedState

STUDIO = AudioFormat(48_000, 3, 2)  # frames of 6 bytes

PRELUDE = "import os, signal, sys, time; out = sys.stdout.buffer; write = lambda b: (out.write(b), out.flush())\n"


def program(script: str, *arguments: object) -> list[str]:
    return [sys.executable, "-S", "-c", PRELUDE + textwrap.dedent(script), *map(str, arguments)]


RECORDER = "while True: write(bytes(640)); time.sleep(0.005)"


async def everything(capture: Capture) -> list[AudioChunk]:
    async with asyncio.timeout(60):
        return [chunk async for chunk in capture]


def alive(pid: int) -> bool:
    """Whether a process lives, and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def gone(*pids: int) -> None:
    async with asyncio.timeout(60):
        while any(alive(pid) for pid in pids):  # noqa: ASYNC110  # other processes' children send no event
            await asyncio.sleep(0.01)


def children() -> set[int]:
    """Our child processes, including zombies."""
    ours = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == os.getpid():
                ours.add(int(folder.name))
    return ours


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@asynccontextmanager
async def reporting(script: str, folder: Path, *, stop_s: float = 1.0) -> AsyncIterator[list[int]]:
    """Open a program that writes pids to ``report`` and then some audio; gives these pids."""
    report = folder / "pids"
    argv = program(f"report = lambda *pids: open({str(report)!r}, 'w').write(' '.join(map(str, pids)))\n" + script)
    async with CommandSource(argv, SPEECH, stop_s=stop_s).open() as capture:
        async with asyncio.timeout(60):
            await anext(aiter(capture))
        yield [int(pid) for pid in report.read_text().split()]


@pytest.mark.parametrize("audio_format", [SPEECH, STUDIO, AudioFormat(8_000, 1, 1)], ids=str)
async def test_what_a_program_writes_is_heard_byte_for_byte(audio_format: AudioFormat) -> None:
    script = """
        pcm = bytes(i * i % 251 for i in range(60_000))
        for at in range(0, 60_000, 997): write(pcm[at : at + 997])
    """
    source: Source = CommandSource(program(script), audio_format)
    async with source.open() as capture:
        assert capture.format == audio_format
        heard = await everything(capture)
    assert b"".join(chunk.pcm for chunk in heard) == bytes(i * i % 251 for i in range(60_000))
    assert all(len(chunk.pcm) % audio_format.frame_bytes == 0 for chunk in heard)
    ends = [0] + [chunk.start + chunk.frames for chunk in heard]
    assert [chunk.start for chunk in heard] == ends[:-1]
    stamps = [chunk.timestamp for chunk in heard]
    assert stamps == sorted(stamps)


async def test_frames_cut_in_two_are_put_together_and_a_rest_is_dropped() -> None:
    script = "for n in range(20): write(bytes([n])); time.sleep(0.002)"
    async with CommandSource(program(script), STUDIO).open() as capture:
        heard = await everything(capture)
    assert b"".join(chunk.pcm for chunk in heard) == bytes(range(18))


async def test_much_audio_at_once_is_held_back_not_lost() -> None:
    fine = AudioFormat(192_000, 4, 2)
    size = 4_000_000  # more than is buffered, and less than is held up for its pace
    assert 2 < fine.seconds(size) < BURST_S
    async with CommandSource(program(f"write(bytes({size}))"), fine).open() as capture:
        heard = await everything(capture)
    assert sum(len(chunk.pcm) for chunk in heard) == size


async def test_timestamps_are_on_the_monotonic_clock() -> None:
    loop = asyncio.get_running_loop()
    begin = loop.time() * 1000
    async with CommandSource(program(RECORDER), SPEECH).open() as capture:
        chunk = await anext(aiter(capture))
    assert begin - 21 <= chunk.timestamp <= loop.time() * 1000


async def test_an_exit_with_an_error_says_the_programs_last_words() -> None:
    script = """
        write(bytes(3))
        sys.stderr.write("a banner\\n" * 5000 + "ALSA lib: \\x1b[31mbusy\\n\\narecord: main:830: audio open error\\n")
        sys.exit(7)
    """
    with pytest.raises(CaptureError) as raised:
        async with CommandSource(program(script), SPEECH).open() as capture:
            await everything(capture)
    words = (
        f"{sys.executable}: exited with status 7: a banner / ALSA lib: [31mbusy / arecord: main:830: audio open error"
    )
    assert str(raised.value) == words


async def test_a_program_that_is_killed_is_said_to_be() -> None:
    script = "write(bytes(640)); os.kill(os.getpid(), signal.SIGSEGV)"
    with pytest.raises(CaptureError, match="was ended by signal 11"):
        async with CommandSource(program(script), SPEECH).open() as capture:
            await everything(capture)


async def test_a_program_that_closes_its_output_but_goes_on_is_an_error() -> None:
    with pytest.raises(CaptureError, match="goes on running"):
        async with CommandSource(program("os.close(1); time.sleep(60)"), SPEECH).open() as capture:
            await everything(capture)


async def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(CaptureError, match="no-such-recorder: no such program; install it"):
        async with CommandSource(["no-such-recorder"], SPEECH).open():
            pass


@pytest.mark.parametrize("argv", [[], ["/"], ["/dev/null"], [""], ["a\0b"]], ids=repr)
async def test_what_cannot_be_run_is_a_capture_error(argv: list[str]) -> None:
    with pytest.raises(CaptureError):
        async with CommandSource(argv, SPEECH).open():
            pass


async def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    argv = program("write(sys.argv[1].encode())", f"$HOME; touch {marker} | `id`")
    async with CommandSource(argv, AudioFormat(8_000, 1, 1)).open() as capture:
        heard = await everything(capture)
    assert b"".join(chunk.pcm for chunk in heard) == argv[-1].encode()
    assert not marker.exists()


async def test_closing_ends_a_recorder(tmp_path: Path) -> None:
    async with reporting("report(os.getpid())\n" + RECORDER, tmp_path) as pids:
        assert all(map(alive, pids))
    assert not any(map(alive, pids))


async def test_closing_ends_a_recorder_that_hangs(tmp_path: Path) -> None:
    async with reporting("report(os.getpid()); write(bytes(2)); time.sleep(3600)", tmp_path) as pids:
        assert all(map(alive, pids))
    assert not any(map(alive, pids))


async def test_closing_kills_one_that_ignores_being_asked(tmp_path: Path) -> None:
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); report(os.getpid()); write(bytes(2)); time.sleep(3600)"
    async with reporting(deaf, tmp_path, stop_s=0.1) as pids:
        assert all(map(alive, pids))
    assert not any(map(alive, pids))


FAMILY = """
import subprocess
deaf = 'import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(3600)'
child = subprocess.Popen([sys.executable, '-S', '-c', deaf], stdout=subprocess.PIPE)
child.stdout.readline()
report(os.getpid(), child.pid)
write(bytes(640))
"""


@pytest.mark.parametrize("ending", ["time.sleep(3600)", "sys.stdout.close(); os._exit(0)"], ids=["hangs", "exits"])
async def test_what_a_program_has_started_ends_with_it(tmp_path: Path, ending: str) -> None:
    async with reporting(FAMILY + ending, tmp_path) as pids:
        assert len(pids) == 2
    await gone(*pids)


async def test_being_cancelled_twice_while_closing_leaves_nothing_behind(tmp_path: Path) -> None:
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); report(os.getpid()); write(bytes(2)); time.sleep(3600)"
    pids: list[int] = []
    opened = asyncio.Event()

    async def listen() -> None:
        async with reporting(deaf, tmp_path, stop_s=60) as found:
            pids.extend(found)
            opened.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(listen())
    async with asyncio.timeout(60):
        await opened.wait()
    task.cancel()
    await asyncio.sleep(0)  # it is being closed now, without a kill
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(*pids)


async def test_fifty_openings_leave_no_process_and_no_descriptor() -> None:
    async with CommandSource(["cat", "/dev/zero"], SPEECH).open():
        pass  # children that the event loop keeps from its first process on
    before, running = descriptors(), children()
    for n in range(50):
        async with CommandSource(["cat", "/dev/zero"], SPEECH).open() as capture:
            if n % 2:
                await anext(aiter(capture))
    assert descriptors() == before
    assert children() <= running


async def test_a_program_that_writes_without_end_is_read_at_the_pace_of_speech(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard_s, loop = 0.0, asyncio.get_running_loop()
    began = loop.time()
    async with CommandSource(["cat", "/dev/zero"], SPEECH).open() as capture:
        async for chunk in capture:
            heard_s += SPEECH.seconds(len(chunk.pcm))
            if heard_s > BURST_S + 1:
                break
    assert loop.time() - began > (heard_s - BURST_S) / 1.01 - 0.1
    assert caplog.messages == [
        "cat: writes audio faster than anybody speaks, and is read at that pace: is it a recorder, in "
        "16000 Hz 16 bit mono?"
    ]


@pytest.mark.parametrize("words", [b"overrun!!! (at least 500.000 ms long)\n", b"ALSA buffer xrun.\n"])
async def test_audio_that_a_recorder_says_it_has_lost_is_a_gap(words: bytes) -> None:
    arrivals = iter([100.02, 100.04, 100.46, 100.48])
    capture = CommandCapture("arecord", SPEECH, lambda: next(arrivals), group=0)
    for said in (b"", b"", words, b""):
        capture.pipe_data_received(2, said)
        capture.pipe_data_received(1, bytes(640))
    heard = [await anext(capture) for _ in range(3)]
    assert [chunk.start for chunk in heard] == [0, 320, 640 + 6400]
    assert [chunk.timestamp for chunk in heard] == [100_000, 100_020, 100_440]


@pytest.mark.parametrize("recorder", [RECORDER, "write(bytes(640)); time.sleep(3600)"], ids=["writes", "hangs"])
async def test_a_recorder_and_what_it_started_end_when_this_process_is_killed(tmp_path: Path, recorder: str) -> None:
    server = """
        import asyncio
        from irene_wyoming.audio.format import SPEECH
        from irene_wyoming.capture.command import CommandSource

        async def main():
            async with CommandSource([sys.executable, "-S", "-c", sys.argv[1]], SPEECH).open() as capture:
                async for chunk in capture:
                    write(b".")

        asyncio.run(main())
    """
    report = tmp_path / "pids"
    child = "import subprocess; child = subprocess.Popen(['sleep', '3600'], stdout=subprocess.DEVNULL)"
    report_both = f"open({str(report)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PRELUDE + textwrap.dedent(server),
        f"{PRELUDE}{child}\n{report_both}\n{recorder}",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        await process.stdout.readexactly(1)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    await gone(*map(int, report.read_text().split()))


async def test_a_recorder_that_dies_is_started_again_and_its_listener_just_waits(tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = f"open({str(count)!r}, 'a').write('x'); write(bytes(6400)); sys.exit(1)"
    feed = Feed(CommandSource(program(script), SPEECH), linger_s=0, buffer_ms=2000, retry_s=0.01, retry_max_s=0.02)
    try:
        async with asyncio.timeout(60), feed.listen(SPEECH, Quality.HIGH, 320) as audio:
            for _ in range(30):  # ten from each start
                await anext(audio)
        assert len(count.read_text()) >= 3
        assert feed.status.state in (FeedState.FAILED, FeedState.RUNNING)
    finally:
        await feed.close()


async def test_a_guard_that_is_cancelled_twice_is_waited_for() -> None:
    groups: asyncio.Queue[int] = asyncio.Queue()

    async def guard() -> None:
        async with guarded_group() as group:
            groups.put_nowait(group)
            await asyncio.Event().wait()

    task = asyncio.create_task(guard())
    group = await groups.get()
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):  # a zombie would still be found
        os.kill(group, 0)
