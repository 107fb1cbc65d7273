"""A PulseAudio server of the tests' own, where PulseAudio is installed: no sound card, no user's settings."""

import asyncio
import contextlib
import itertools
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

ALSA = """
<{system}>
pcm.!default {{ type pulse }}
ctl.!default {{ type pulse }}
"""
SYSTEM_ALSA = Path("/usr/share/alsa/alsa.conf")


class PulseAudio:
    """A server with a microphone, which hears ``spoken`` audio, and a silent speaker."""

    def __init__(self, folder: Path) -> None:
        self._pipe = folder / "microphone"
        self.environment = {
            "PULSE_SERVER": f"unix:{folder / 'socket'}",
            "XDG_RUNTIME_DIR": str(folder),
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
        }
        (folder / "asound.conf").write_text(ALSA.format(system=SYSTEM_ALSA))
        self._modules = [
            f"module-native-protocol-unix socket={folder / 'socket'} auth-anonymous=1 auth-cookie-enabled=0",
            "module-null-sink sink_name=speaker rate=48000 channels=2 format=s16le",
            f"module-pipe-source source_name=microphone file={self._pipe} format=s16le rate=16000 channels=1",
        ]
        self._process: asyncio.subprocess.Process | None = None  # None: stopped

    async def start(self) -> None:
        self._pipe.unlink(missing_ok=True)
        modules = [word for module in self._modules for word in ("-L", module)]
        options = ["--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--log-level=error", "-n"]
        self._process = await asyncio.create_subprocess_exec("pulseaudio", *options, *modules, env=self._env())
        async with asyncio.timeout(60):
            while await self.control("set-default-source", "microphone") != 0:  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    @asynccontextmanager
    async def spoken(self, pcm: bytes) -> AsyncIterator[None]:
        """Play audio to the microphone again and again at the pace of the clock: 16 kHz, 16 bit, mono."""
        task = asyncio.create_task(self._speak(pcm))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _speak(self, pcm: bytes) -> None:
        loop, step = asyncio.get_running_loop(), 320  # bytes: 10 ms
        pipe = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)
        try:
            due = loop.time()
            for at in itertools.cycle(range(0, len(pcm), step)):
                with contextlib.suppress(BlockingIOError):  # nobody listens now
                    os.write(pipe, pcm[at : at + step])
                due += 0.01
                await asyncio.sleep(due - loop.time())
        finally:
            os.close(pipe)

    async def control(self, *command: str) -> int:
        process = await asyncio.create_subprocess_exec(
            "pactl", *command, env=self._env(), stderr=asyncio.subprocess.DEVNULL
        )
        return await process.wait()

    def _env(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


@pytest.fixture
async def pulseaudio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PulseAudio]:
    """Run a server that is the default one of this process."""
    for program in ("pulseaudio", "pactl", "parec"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    server = PulseAudio(tmp_path)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
