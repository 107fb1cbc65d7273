"""How many synthesised commands snapping makes right, and whether it takes other speech for one.

    python -m tests.language.evaluate_snapped_commands [LIMIT]

Voices of flite and espeak-ng say the sentences of ``evaluate_commands``, in quiet and in white noise of 20 and 10 dB.
The packaged Moonshine hears them without a grammar. LIMIT: sentences by each program.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from irene_wyoming.bench.mixing import floats, rms
from irene_wyoming.engines.asr.guided.decode import decoded
from irene_wyoming.engines.asr.guided.meaning import meaning
from irene_wyoming.engines.asr.guided.model import Moonshine, packaged
from irene_wyoming.language.commands import command_grammar
from irene_wyoming.language.grammar import plain
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.snapping import Snapper
from irene_wyoming.language.vocabulary import Vocabulary
from tests.engines.asr.evaluate_commands import SNR_DB, said_by_voices, spoken


def main(limit: int) -> None:
    model, snapper = Moonshine(packaged(), 1), Snapper(Snap.SENTENCES, Vocabulary())
    grammar, random = command_grammar(Vocabulary(), ()), np.random.default_rng(1)
    counts = Counter[str]()

    def meant(text: str) -> tuple[str, ...]:
        return meaning(plain(grammar.written(text) or text))

    with tempfile.TemporaryDirectory() as folder:
        for said in said_by_voices(tuning=False, limit=limit):
            clear = floats(spoken(said, Path(folder)).pcm)
            for snr in SNR_DB:
                samples = np.pad(clear, (4_800, 8_000))
                if snr is not None:
                    samples = samples + rms(clear) * 10 ** (-snr / 20) * random.standard_normal(len(samples))
                heard = decoded(model, None, model.listen(samples.astype(np.float32))).open_text
                snapped = snapper.snapped(heard)
                mended = snapped.how in ("name", "sentence")
                if said.command:
                    before, after = (meant(text) == meant(said.text) for text in (heard, snapped.text))
                    counts.update(commands=1, before=before, after=after, lost=before and not after)
                    counts["mended wrong"] += mended and not after
                else:
                    counts.update({"other speech": 1, "other speech mended": mended})
    print(", ".join(f"{name} {count}" for name, count in counts.items()))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
