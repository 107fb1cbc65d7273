"""The test of a user's own microWakeWord model, in the child process of ``engines/wake/trials.py``."""

import numpy as np

from irene_wyoming.engines.wake.microwakeword.engine import FEATURES, Word
from irene_wyoming.engines.wake.packages import PYMICRO_WAKEWORD
from irene_wyoming.engines.wake.tflite import Model, Runtime
from irene_wyoming.engines.wake.trials import UNNAMED, Trial, check, features


def tflite() -> Trial:
    runtime = Runtime.of_package(PYMICRO_WAKEWORD.folder())

    def trial(content: bytes) -> None:
        model = Model(runtime, UNNAMED, content)
        word = Word(model, sliding_window=1)
        for rows in features((10, FEATURES), 26.0):
            for _, score in word.push(np.abs(rows)):
                check(score)
        word.close()
        model.close()

    return trial
