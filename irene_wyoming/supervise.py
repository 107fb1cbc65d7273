"""Runs the servers as child processes: starts them, restarts those that die or hang, stops all.

A child's exit code 2 means that its configuration is wrong. At the start that stops all: half a program would look as
if all were well. Later that child alone is not restarted.
"""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from irene_wyoming.config.model import SuperviseConfig
from irene_wyoming.errors import ConfigError
from irene_wyoming.heartbeat import Ear
from irene_wyoming.tasks import ended

EXIT_CONFIG = 2
"""Exit code of a child for which a restart would not help."""

SUPERVISED_VARIABLE = "IRENE_WYOMING_SUPERVISED"
"""Environment variable with the supervisor's process id, for ``exit_with_parent``."""

# A killed process ends at once, unless it hangs in a driver, such as that of a sound device that has gone.
_REAP_TIMEOUT_S = 1.0

STARTING = 4
"""Factor of patience with a child that starts: on a small, busy machine its modules alone take more than hang_s."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

log = logging.getLogger(__name__)

Died = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running."""

    name: str
    """The child's name in the log, unique."""
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables laid over this process's own environment."""


class Backoff:
    """Decides how long to wait before a child is restarted."""

    def __init__(
        self, first_s: float, most_s: float, healthy_after_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """:param clock: monotonic seconds."""
        self._first_s = first_s
        self._most_s = most_s
        self._healthy_after_s = healthy_after_s
        self._clock = clock
        self._started = clock()
        self._next_s = first_s

    def start(self) -> None:
        """Take note that the child is started now."""
        self._started = self._clock()

    @property
    def healthy(self) -> bool:
        """Whether the child has lived long enough since its start to count as healthy."""
        return self._clock() - self._started >= self._healthy_after_s

    def next_delay(self) -> float:
        """The seconds to wait after the child's end: twice the last delay, up to a limit, or the first after health."""
        delay_s = self._first_s if self.healthy else self._next_s
        self._next_s = min(2 * delay_s, self._most_s)
        return delay_s


def _backoff(timing: SuperviseConfig, clock: Callable[[], float]) -> Backoff:
    return Backoff(timing.restart_delay_s, timing.restart_delay_max_s, timing.healthy_after_s, clock)


class Supervisor:
    """Keeps children running from ``start`` to ``stop``.

    Use it from the main thread's event loop: the kernel ties a child's end to the thread that started it.
    """

    def __init__(
        self,
        children: Sequence[Child],
        timing: SuperviseConfig,
        clock: Callable[[], float] = time.monotonic,
        died: Died | None = None,
    ) -> None:
        """:param died: awaited with the name of a child that ended unasked, before its restart.
        :raises ConfigError: there are no children.
        """
        if not children:
            raise ConfigError("no server is enabled: set wake.enabled, asr.enabled or mic.enabled to true")
        self._stop_timeout_s = timing.stop_timeout_s
        self._refusing = asyncio.Event()  # set when a child's configuration is wrong from the start
        self._keepers = [_Keeper(child, timing, clock, died, self._refusing) for child in children]
        self._tasks: list[asyncio.Task[None]] = []  # empty before start

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the running children, by name."""
        return {keeper.name: keeper.pid for keeper in self._keepers if keeper.pid is not None}

    async def run(self, stop: asyncio.Event) -> int:
        """Start all children, keep them running until ``stop`` is set, and stop them; returns the exit code.

        0: stopped as asked. 1: every child has failed for good.

        :raises ConfigError: a child's configuration is wrong from the start; all have been stopped.
        """
        await self.start()
        asked = asyncio.create_task(stop.wait(), name="asked to stop")
        failed = asyncio.create_task(self.wait(), name="all servers failed")
        refused = asyncio.create_task(self._refusing.wait(), name="a server refuses its configuration")
        try:
            await asyncio.wait({asked, failed, refused}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return 0
            if refused.done():
                names = ", ".join(keeper.name for keeper in self._keepers if keeper.refuses)
                raise ConfigError(f"{names} cannot run with this configuration, see above: all servers are stopped")
            failed.result()
            log.error("no server is left that could run: giving up")
            return 1
        finally:
            asked.cancel()
            failed.cancel()
            refused.cancel()
            await self.stop()

    async def start(self) -> None:
        """Start all children; returns at once. A second call does nothing."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(keeper.run(), name=f"keep {keeper.name}") for keeper in self._keepers]

    async def wait(self) -> None:
        """Wait until every child has failed for good or was stopped."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    def hurry(self) -> None:
        """Send a second SIGTERM to all children that are being stopped, so that they end at once."""
        for keeper in self._keepers:
            keeper.hurry()

    async def stop(self) -> None:
        """Send SIGTERM to all, after ``stop_timeout_s`` SIGKILL; wait for their ends. May be called more than once."""
        for keeper in self._keepers:
            keeper.end()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._stop_timeout_s)
        if late:
            for keeper in self._keepers:
                keeper.kill(self._stop_timeout_s)
            _, stuck = await asyncio.wait(late, timeout=_REAP_TIMEOUT_S)
            for task in stuck:
                log.error("%s: the process does not end, not even by SIGKILL: left to the system", task.get_name())
                task.cancel()


def exit_with_parent() -> bool:
    """Let the kernel send this process SIGTERM when its supervisor dies, even by SIGKILL. Called when a child starts.

    Returns whether a Supervisor has started this process. Only Linux has this signal.

    :raises SystemExit: the supervisor is gone already.
    """
    # Removed, so that programs started by this process do not think that they are supervised.
    parent = os.environ.pop(SUPERVISED_VARIABLE, None)
    if parent is None:
        return False
    if sys.platform != "linux":
        return True
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        log.warning("this process may outlive its supervisor: prctl: %s", os.strerror(ctypes.get_errno()))
    # If it died before the call above, no signal will ever come.
    if str(os.getppid()) != parent:
        raise SystemExit("the supervisor has ended before this server was up")
    return True


class _Keeper:
    """Keeps one child running."""

    def __init__(
        self,
        child: Child,
        timing: SuperviseConfig,
        clock: Callable[[], float],
        died: Died | None,
        refusing: asyncio.Event,
    ) -> None:
        """:param refusing: set when the child's configuration is wrong from the start."""
        self.name = child.name
        self._hang_s = timing.hang_s
        self._hung = False  # whether the last process was killed because it hung
        self._child = child
        self._died = died
        self._backoff = _backoff(timing, clock)
        self._process: Process | None = None  # None while no process runs
        self._ending = asyncio.Event()
        self._refusing = refusing
        self._sound = False  # whether one of its processes was healthy
        self.refuses = False
        """Whether it reports a wrong configuration, and has never been healthy."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Run the child until it has failed for good, or has ended after ``end``."""
        while not self._ending.is_set():
            self._backoff.start()
            code = await self._live()
            if self._ending.is_set():
                return
            if self._died is not None:
                await self._died(self.name)
            self._sound = self._sound or self._backoff.healthy
            if code == EXIT_CONFIG and not self._backoff.healthy:
                log.error(
                    "%s cannot run with this configuration (exit code %d, its message is above): "
                    "not started again until this program restarts",
                    self.name,
                    code,
                )
                if not self._sound:
                    self.refuses = True
                    self._refusing.set()
                return
            delay_s = self._backoff.next_delay()
            log.warning(
                "%s %s: started again in %g s",
                self.name,
                "hung and was killed" if self._hung else _describe_end(code),
                delay_s,
            )
            await self._sleep(delay_s)

    def end(self) -> None:
        """Send SIGTERM once to the child, if it runs; it is not started again."""
        if not self._ending.is_set():
            self._ending.set()
            self._terminate()

    def hurry(self) -> None:
        """Send SIGTERM once more, after ``end``."""
        if self._ending.is_set():
            self._terminate()

    def kill(self, waited_s: float) -> None:
        """Send SIGKILL to a running child and to what it has started."""
        if self._process is not None:
            log.warning("%s has not ended %g s after SIGTERM: killed", self.name, waited_s)
            _kill_group(self._process.pid)

    async def _live(self) -> int | None:
        """Start the child and wait for its end; returns its exit code as Process has it, or None if it cannot start."""
        ear = Ear()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._child.argv,
                stdin=DEVNULL,
                env={**os.environ, **self._child.env, **ear.environment, SUPERVISED_VARIABLE: str(os.getpid())},
                # A group of its own: Ctrl-C on a terminal reaches this program only, which passes it on once.
                process_group=0,
                pass_fds=(ear.for_child,),
            )
        except OSError as error:
            log.error("%s cannot be started: %s", self.name, error)
            ear.close()
            return None
        ear.listen()
        log.info("%s started, process %d", self.name, process.pid)
        self._process, self._hung = process, False
        hearing = asyncio.create_task(self._watch(process.pid, ear), name=f"heartbeat of {self.name}")
        try:
            if self._ending.is_set():
                self._terminate()
            return await process.wait()
        finally:
            self._process = None
            await ended(hearing)
            ear.close()
            # A recorder left behind by a killed server would block the sound device for the next one.
            _kill_group(process.pid)

    async def _watch(self, pid: int, ear: Ear) -> None:
        """Kill the child when it hangs."""
        silent_s = await ear.silence(self._hang_s, STARTING * self._hang_s)
        log.error("%s has given no sign of life for %g s: killed", self.name, silent_s)
        self._hung = True
        _kill_group(pid)

    def _terminate(self) -> None:
        # Not Process.terminate: it asks for the exit status first, which asyncio may then miss.
        if self._process is not None and self._process.returncode is None:
            _send(os.kill, self._process.pid, signal.SIGTERM)

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()


def _kill_group(pid: int) -> None:
    _send(os.killpg, pid, signal.SIGKILL)


def _send(function: Callable[[int, int], None], pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        function(pid, number)


def _describe_end(code: int | None) -> str:
    if code is None:
        return "could not be started"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = " (by somebody, or by the system for want of memory)" if -code == signal.SIGKILL else ""
    return f"was ended by {name}{hint}"
