"""The measurements of the microphone server, in small: do they measure the right thing?"""

import asyncio
import sys
from pathlib import Path

import pytest

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench import mic
from irene_wyoming.bench.microphone import mic_server
from irene_wyoming.capture.riff import read_info

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux tells of processes")


@LINUX
async def test_a_server_is_measured_and_leaves_nothing_behind() -> None:
    async with mic_server(SPEECH, mic.CHUNK_FRAMES, LINGER_S="0") as server:
        heard, same = await mic.delay(server, 0.3)
        assert "chunks" in heard.value
        assert same.kept
        after = await server.state()
        assert after.cpu_s > 0
        assert after.resident_bytes > 10e6
        assert [gate.kept for gate in await mic.connects(server, 2)] == [True, True]
        assert (await mic.killed(server)).kept


def test_a_loop_is_right_to_the_byte_and_a_fault_is_found(tmp_path: Path) -> None:
    path = tmp_path / "loop.wav"
    sound = mic.loop_of_noise(path)
    assert not asyncio.run(mic.played(path, sound, 20))
    with path.open("r+b") as file:
        file.seek(read_info(file).offset + 5_000)
        file.write(b"\x00\x01")
    assert set(asyncio.run(mic.played(path, sound, 4))) == {"chunks with other bytes"}
