"""The weights in the audio core are those of the documented design."""

import numpy as np

from irene_wyoming.audio.fir import COSINES, LEVELS
from irene_wyoming.audio.format import Quality
from tests.audio.design import basis_responses, cosines


def test_the_weights_are_those_of_the_design() -> None:
    assert np.allclose(cosines(), COSINES, atol=1e-4)


def test_they_pass_speech_within_a_decibel_and_stop_what_would_fold_into_it() -> None:
    level = LEVELS[Quality.FAST]
    frequencies = np.linspace(0, 20, 4_001)
    through = 20 * np.log10(np.abs(basis_responses(frequencies) @ np.array(COSINES)))
    through -= through[0]
    assert np.abs(through[frequencies <= level.passes]).max() < 1.1
    assert through[frequencies >= level.stops].max() < -60
