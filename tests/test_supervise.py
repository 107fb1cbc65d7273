import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from irene_wyoming.config.model import SuperviseConfig
from irene_wyoming.errors import ConfigError
from irene_wyoming.supervise import SUPERVISED_VARIABLE, Backoff, Child, Supervisor, exit_with_parent

PATIENCE_S = 60

# A stand-in for a server: says over a socket that it is up, and keeps that open while it lives.
HELLO = """
import os, signal, socket, subprocess, sys
wire = socket.socket(socket.AF_UNIX)
def hello(name, *more):
    wire.connect(sys.argv[1])
    wire.sendall(" ".join([name, str(os.getpid()), *map(str, more)]).encode() + b"\\n")
"""
SERVE = "hello(sys.argv[2]); signal.pause()"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); hello(sys.argv[2])\nwhile True: signal.pause()"


def timing(
    delay_s: float = 0.01,
    most_s: float = 0.05,
    healthy_after_s: float = 30.0,
    stop_timeout_s: float = 5.0,
    hang_s: float = 2 * PATIENCE_S,  # most stand-ins send no heartbeat
) -> SuperviseConfig:
    return SuperviseConfig(delay_s, most_s, healthy_after_s, 0.0, stop_timeout_s, hang_s)


@dataclass
class Life:
    """One process that has said hello."""

    words: list[str]
    ended: asyncio.Event

    @property
    def pid(self) -> int:
        return int(self.words[1])

    async def end(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.ended.wait()


class Village:
    """Listens for the stand-ins."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lives: asyncio.Queue[Life] = asyncio.Queue()
        self.hearings: set[asyncio.Task[None]] = set()

    async def empty(self) -> None:
        """Wait until nobody is left."""
        if self.hearings:
            await asyncio.wait(self.hearings, timeout=PATIENCE_S)

    def child(self, name: str, code: str = SERVE) -> Child:
        return Child(name, [sys.executable, "-c", HELLO + code, str(self.path), name])

    async def births(self, count: int) -> dict[str, Life]:
        async with asyncio.timeout(PATIENCE_S):
            lives = [await self.lives.get() for _ in range(count)]
        return {life.words[0]: life for life in lives}

    def on_connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hearings.add(asyncio.create_task(self.hear(reader, writer)))

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        life = Life((await reader.readline()).decode().split(), asyncio.Event())
        if life.words:
            self.lives.put_nowait(life)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        life.ended.set()
        writer.close()


@pytest.fixture
async def village(tmp_path: Path) -> AsyncIterator[Village]:
    village = Village(tmp_path / "village")
    async with await asyncio.start_unix_server(village.on_connect, village.path):
        yield village
        await village.empty()


class Log(logging.Handler):
    """A log handler that lets a test wait for a line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: asyncio.Queue[str] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.put_nowait(record.getMessage())

    async def has(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while text not in await self.lines.get():
                pass


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    log = Log()
    logger = logging.getLogger("irene_wyoming.supervise")
    logger.addHandler(log)
    yield log
    logger.removeHandler(log)


@contextlib.asynccontextmanager
async def started(supervisor: Supervisor) -> AsyncIterator[Supervisor]:
    await supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_delays_double_up_to_the_most() -> None:
    backoff = Backoff(0.5, 30.0, 10.0, Clock())
    delays = []
    for _ in range(9):
        backoff.start()
        delays.append(backoff.next_delay())
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_healthy_life_brings_the_first_delay_back() -> None:
    clock = Clock()
    backoff = Backoff(0.5, 30.0, 10.0, clock)
    backoff.start()
    assert [backoff.next_delay(), backoff.next_delay()] == [0.5, 1.0]
    backoff.start()
    clock.now += 9.9
    assert not backoff.healthy
    clock.now += 0.1
    assert backoff.healthy
    assert backoff.next_delay() == 0.5
    backoff.start()
    assert backoff.next_delay() == 1.0


async def test_a_killed_child_is_started_again_and_the_others_are_left_alone(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    children = [village.child(name) for name in ("wake", "asr", "mic")]
    async with started(Supervisor(children, timing())) as supervisor:
        first = await village.births(3)
        assert supervisor.pids == {name: life.pid for name, life in first.items()}
        os.kill(first["asr"].pid, signal.SIGKILL)
        again = await village.births(1)
        assert list(again) == ["asr"]
        assert again["asr"].pid != first["asr"].pid
        assert not first["wake"].ended.is_set()
        assert not first["mic"].ended.is_set()
        assert supervisor.pids["wake"] == first["wake"].pid
    assert "asr was ended by SIGKILL" in caplog.text
    assert "started again in 0.01 s" in caplog.text
    assert village.lives.empty()
    assert supervisor.pids == {}


async def test_what_a_dead_child_has_started_goes_with_it(village: Village) -> None:
    """A recorder left behind would keep the sound device from the next server."""
    recorder = HELLO + "hello('recorder'); signal.pause()"
    code = f"subprocess.Popen([sys.executable, '-c', {recorder!r}, sys.argv[1]]); hello('mic'); signal.pause()"
    async with started(Supervisor([village.child("mic", code)], timing())):
        first = await village.births(2)
        os.kill(first["mic"].pid, signal.SIGKILL)
        await first["recorder"].end()
        await village.births(2)


BEATS = """
import asyncio
from irene_wyoming.heartbeat import beating
async def live():
    async with beating():
        hello(sys.argv[2])
        await asyncio.Event().wait()
asyncio.run(live())
"""


async def test_a_child_that_hangs_is_killed_and_started_again_and_one_that_beats_is_not(
    village: Village, log: Log
) -> None:
    children = [village.child("asr", BEATS), village.child("wake", BEATS)]
    async with started(Supervisor(children, timing(hang_s=5.0))) as supervisor:
        first = await village.births(2)
        os.kill(first["asr"].pid, signal.SIGSTOP)
        await log.has("asr has given no sign of life for 5 s: killed")
        await log.has("asr hung and was killed: started again in 0.01 s")
        assert list(await village.births(1)) == ["asr"]
        assert supervisor.pids["wake"] == first["wake"].pid


async def test_a_child_that_hangs_in_its_start_is_started_again(village: Village, log: Log) -> None:
    """A model's file may lie on a disk that does not answer."""
    stuck = f"{BEATS.split('async def')[0]}hello(sys.argv[2])\nwhile True: signal.pause()"
    async with started(Supervisor([village.child("asr", stuck)], timing(hang_s=1.0))):
        await village.births(1)
        await log.has("asr has given no sign of life for 4 s: killed")
        await village.births(1)


async def test_a_flapping_child_waits_longer_each_time(village: Village, caplog: pytest.LogCaptureFixture) -> None:
    flapping = village.child("wake", "hello(sys.argv[2]); sys.exit(3)")
    async with started(Supervisor([flapping], timing(delay_s=0.01, most_s=0.04))):
        for _ in range(5):
            await village.births(1)
    logged = [record.getMessage() for record in caplog.records if "started again" in record.getMessage()]
    delays = (0.01, 0.02, 0.04, 0.04)
    assert logged[:4] == [f"wake ended with exit code 3: started again in {delay} s" for delay in delays]


async def test_a_configuration_error_is_not_tried_again(village: Village, caplog: pytest.LogCaptureFixture) -> None:
    children = [village.child("asr", "hello(sys.argv[2]); sys.exit(2)"), village.child("wake")]
    async with started(Supervisor(children, timing())) as supervisor:
        lives = await village.births(2)
        await lives["asr"].end()
        os.kill(lives["wake"].pid, signal.SIGKILL)
        assert list(await village.births(1)) == ["wake"]
        assert list(supervisor.pids) == ["wake"]
    assert village.lives.empty()
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert errors[0].startswith("asr cannot run with this configuration")


async def test_exit_code_2_of_a_child_that_was_sound_is_a_crash_like_any_other(village: Village) -> None:
    fails = village.child("asr", "hello(sys.argv[2]); sys.exit(2)")
    async with started(Supervisor([fails], timing(healthy_after_s=0.0))):
        await village.births(1)
        await village.births(1)


async def test_a_configuration_that_is_wrong_from_the_start_stops_all(village: Village) -> None:
    children = [village.child("asr", "hello(sys.argv[2]); sys.exit(2)"), village.child("wake")]
    supervisor = Supervisor(children, timing())
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConfigError, match="asr cannot run with this configuration, see above"):
            await supervisor.run(asyncio.Event())
    assert not supervisor.pids


async def test_a_program_that_is_not_there_is_tried_again_and_can_be_stopped(
    tmp_path: Path, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = Supervisor([Child("wake", [str(tmp_path / "nowhere")])], timing(delay_s=60.0, most_s=60.0))
    stop = asyncio.Event()
    run = asyncio.create_task(supervisor.run(stop))
    await log.has("started again in 60 s")
    stop.set()
    async with asyncio.timeout(PATIENCE_S):
        assert await run == 0
    assert "wake cannot be started" in caplog.text


async def test_run_stops_when_asked_and_returns_0(village: Village) -> None:
    stop = asyncio.Event()
    supervisor = Supervisor([village.child("wake"), village.child("asr")], timing())
    run = asyncio.create_task(supervisor.run(stop))
    lives = await village.births(2)
    stop.set()
    async with asyncio.timeout(PATIENCE_S):
        assert await run == 0
    for life in lives.values():
        assert_gone(life.pid)


async def test_a_cancelled_run_leaves_no_child(village: Village) -> None:
    run = asyncio.create_task(Supervisor([village.child("wake")], timing()).run(asyncio.Event()))
    lives = await village.births(1)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert_gone(lives["wake"].pid)


async def test_a_child_that_ignores_sigterm_is_killed_in_time(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor = Supervisor([village.child("wake", STUBBORN), village.child("asr")], timing(stop_timeout_s=0.2))
    await supervisor.start()
    lives = await village.births(2)
    async with asyncio.timeout(PATIENCE_S):
        await supervisor.stop()
    assert_gone(lives["wake"].pid)
    assert_gone(lives["asr"].pid)
    assert "wake has not ended 0.2 s after SIGTERM: killed" in caplog.text
    assert "asr has not ended" not in caplog.text


async def test_stops_while_a_child_waits_for_its_next_start(village: Village, log: Log) -> None:
    supervisor = Supervisor([village.child("wake")], timing(delay_s=60.0, most_s=60.0))
    await supervisor.start()
    lives = await village.births(1)
    os.kill(lives["wake"].pid, signal.SIGKILL)
    await log.has("started again in 60 s")
    async with asyncio.timeout(PATIENCE_S):
        await supervisor.stop()
    assert village.lives.empty()


async def test_stop_can_be_called_before_start_twice_and_at_once(village: Village) -> None:
    await Supervisor([village.child("wake")], timing()).stop()
    supervisor = Supervisor([village.child("wake")], timing())
    await supervisor.start()
    lives = await village.births(1)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(supervisor.stop(), supervisor.stop())
        await supervisor.stop()
    assert_gone(lives["wake"].pid)


async def test_stop_right_after_start_leaves_no_child(village: Village) -> None:
    supervisor = Supervisor([village.child("wake", STUBBORN)], timing(stop_timeout_s=1.0))
    await supervisor.start()
    async with asyncio.timeout(PATIENCE_S):
        await supervisor.stop()
    assert supervisor.pids == {}


async def test_a_child_gets_one_sigterm_no_input_and_a_group_of_its_own(village: Village, tmp_path: Path) -> None:
    """Ctrl-C on a terminal goes to the foreground group, so it reaches a child once: through the supervisor."""
    told = tmp_path / "told"
    # Blocked, so that none is lost between the greeting and the wait; then wait a moment for a second one.
    code = f"""
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
hello("wake", os.getpgrp(), repr(sys.stdin.read()))
signal.sigwait([signal.SIGTERM])
second = signal.sigtimedwait([signal.SIGTERM], 0.1)
open({str(told)!r}, "w").write("one" if second is None else "two")
"""
    supervisor = Supervisor([village.child("wake", code)], timing())
    await supervisor.start()
    life = (await village.births(1))["wake"]
    await asyncio.gather(supervisor.stop(), supervisor.stop())
    assert life.words[2:] == [str(life.pid), "''"]
    assert told.read_text() == "one"


def test_nothing_to_run_is_refused() -> None:
    with pytest.raises(ConfigError, match="no server is enabled"):
        Supervisor([], timing())


SUPERVISOR = """
import asyncio, sys
from irene_wyoming.config.model import SuperviseConfig
from irene_wyoming.supervise import Child, Supervisor
child = Child("wake", [sys.executable, "-c", *sys.argv[1:]])
asyncio.run(Supervisor([child], SuperviseConfig(0.1, 1.0, 30.0, 0.0, 3.0)).run(asyncio.Event()))
"""
TIED = "import irene_wyoming.supervise as s; s.exit_with_parent(); "


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel call is Linux's")
async def test_no_child_outlives_a_supervisor_that_was_killed(village: Village) -> None:
    child = HELLO + TIED + SERVE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISOR, child, str(village.path), "wake", stdin=subprocess.DEVNULL
    )
    try:
        life = (await village.births(1))["wake"]
        assert not life.ended.is_set()
    finally:
        process.kill()
        await process.wait()
    await life.end()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel call is Linux's")
def test_a_child_whose_supervisor_is_gone_before_it_is_up_ends_by_itself() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    result = subprocess.run(
        [sys.executable, "-c", TIED + "print('up')"],
        env=os.environ | {SUPERVISED_VARIABLE: str(gone.pid)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == ""
    assert "the supervisor has ended" in result.stderr
    assert result.returncode == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel call is Linux's")
def test_what_a_supervised_process_starts_is_not_tied_in_its_turn() -> None:
    code = TIED + "import os; print(os.environ.get(s.SUPERVISED_VARIABLE))"
    environment = os.environ | {SUPERVISED_VARIABLE: str(os.getpid())}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "None\n"


def test_a_process_that_nobody_supervises_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SUPERVISED_VARIABLE, raising=False)
    exit_with_parent()


def assert_gone(pid: int) -> None:
    """Assert that a process has ended and was reaped."""
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
