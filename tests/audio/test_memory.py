"""Memory of live conversion: it does not grow with the chunks, and a stream takes little."""

import itertools
import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import LINEAR, SPEECH, AudioFormat, Quality

STUDIO = AudioFormat(48_000, 2, 1)
METHODS = (*Quality, LINEAR)


def cut(sizes: list[int]) -> list[bytes]:
    """Noise cut into chunks of these many frames."""
    pcm = np.random.default_rng(1).integers(-9_000, 9_000, sum(sizes)).astype("<i2").tobytes()
    ends = list(itertools.accumulate(sizes, initial=0))
    return [pcm[2 * start : 2 * end] for start, end in itertools.pairwise(ends)]


@pytest.mark.parametrize(
    ("quality", "sizes"), [*((method, [960]) for method in METHODS), (Quality.HIGH, [441, 1_024, 480, 3, 3_840])]
)
def test_ten_thousand_chunks_leave_nothing_behind(quality: str, sizes: list[int]) -> None:
    converter = Converter(STUDIO, SPEECH, quality)
    chunks = cut(sizes)
    tracemalloc.start()
    try:
        for chunk in itertools.islice(itertools.cycle(chunks), 500):
            converter.push(chunk)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for chunk in itertools.islice(itertools.cycle(chunks), 10_000):
            converter.push(chunk)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    longest = 8 * max(sizes)  # bytes of a chunk in float64
    assert after - held < longest  # the bytes held back vary with the place in the stream
    assert peak - held < 8 * longest


THOUSAND_STREAMS = """
import os, sys

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

bare = resident()
import json
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import SPEECH, AudioFormat
pcm = bytes(range(240)) * 8  # 20 ms
source = AudioFormat(48_000, 2, 1)
Converter(source, SPEECH, sys.argv[1]).push(pcm)
loaded = resident()
streams = [Converter(source, SPEECH, sys.argv[1]) for _ in range(1_000)]
for _ in range(5):
    for stream in streams:
        stream.push(pcm)
print(json.dumps({"core_mb": (loaded - bare) / 1e6, "streams_mb": (resident() - loaded) / 1e6}))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="this system does not tell a process's memory there")
@pytest.mark.parametrize("quality", [Quality.HIGH, Quality.ADAPTIVE], ids=str)
def test_a_thousand_live_streams_fit_in_40_megabytes(quality: str) -> None:
    """The memory includes all that the core loads, beyond the interpreter."""
    command = [sys.executable, "-c", THOUSAND_STREAMS, quality]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    took = json.loads(run.stdout)
    print(f"{quality}: core {took['core_mb']:.1f} MB, 1,000 streams {took['streams_mb']:.1f} MB")  # noqa: T201
    assert took["core_mb"] + took["streams_mb"] < 40
