"""Measures how many open transcripts snapping makes right, and whether it spoils any.

python -m tests.language.evaluate_snapping ../shared/recordings/coffee ../shared/recordings/kitchen/kitchen_000.wav

The first is a folder as ``bench asr`` reads it, with slots and a template; the second a noise. Each recording is heard
by the packaged Moonshine without a grammar, alone and beside several pieces of the noise at 20 to 10 dB. A transcript
is right if it has the slots of the order and no other. Thresholds were fitted on recordings with even numbers; see
``agreement``.
"""

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from irene_wyoming.bench.mixing import Condition, Noise, floats, mixed
from irene_wyoming.bench.people import Folder, folder_of
from irene_wyoming.engines.asr.guided.decode import decoded
from irene_wyoming.engines.asr.guided.model import Moonshine, packaged
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.snapping import Snapper
from irene_wyoming.language.vocabulary import Vocabulary
from tests.conftest import read_wav

CONDITIONS = ((None, ""), (20.0, ""), (20.0, "b"), (15.0, "d"), (10.0, ""), (10.0, "b"), (10.0, "c"))
"""SNR in dB, and a text that chooses the pieces of noise together with a recording's name."""


def main(orders: Path, noise: Path) -> None:
    kitchen = Noise("kitchen", floats(pcm_of(noise)))
    model = Moonshine(packaged(), 1)
    for half in ("even", "odd"):
        folder = folder_of(orders, pcm_of, half=half)
        for level, piece in CONDITIONS:
            where = "quiet" if level is None else f"{level:g} dB {piece}".strip()
            print(half, where, told(folder, model, kitchen, level, piece), sep=": ", flush=True)


def pcm_of(path: Path) -> bytes:
    """Read a recording: 16 kHz, 16 bit, mono."""
    return read_wav(path).pcm


def told(folder: Folder, model: Moonshine, noise: Noise, snr_db: float | None, piece: str) -> str:
    snapper = Snapper(Snap.SENTENCES, Vocabulary(), folder.sentences)
    snapper.prepare()
    counts, took = Counter[str](), list[float]()
    for spoken in folder.spoken:
        condition = Condition(None if snr_db is None else noise, snr_db)
        samples = floats(mixed(spoken.pcm, condition, spoken.name + piece)).astype(np.float32)
        heard = decoded(model, None, model.listen(samples)).open_text
        began = time.process_time()
        snapped = snapper.snapped(heard)
        took.append(1000 * (time.process_time() - began))
        before, after = not spoken.mistakes(heard), not spoken.mistakes(snapped.text)
        counts.update({"before": before, "after": after, "lost": before and not after})
        counts["mended wrong"] += snapped.how in ("name", "sentence") and not after
    figures = ", ".join(f"{name} {counts[name]}" for name in ("before", "after", "lost", "mended wrong"))
    return f"{len(folder.spoken)} orders, right {figures}; p95 {np.percentile(took, 95):.1f} ms of CPU"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
