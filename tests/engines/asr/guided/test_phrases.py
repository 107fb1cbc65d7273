"""Searches for phrases with the packaged model: the parts that a search may leave out."""

from math import inf

import numpy as np
import pytest

from irene_wyoming.engines.asr.guided import tokens
from irene_wyoming.engines.asr.guided.model import Moonshine, packaged, shared
from irene_wyoming.engines.asr.guided.phrases import PhraseScorer
from irene_wyoming.engines.wake.recogniser import HOPELESS, samples
from irene_wyoming.engines.wake.spellings import PACKAGED
from tests.engines.wake.speech import synthesised


@pytest.mark.parametrize("word", ["alexa", "hey_jarvis"])
@pytest.mark.parametrize("spoken", ["alexa_slt", "hey_jarvis_slt"])
def test_a_look_that_ends_early_decides_as_a_whole_one(model: Moonshine, word: str, spoken: str) -> None:
    scorer, phrase = PhraseScorer(model), PACKAGED[word]
    heard = samples(synthesised(spoken)[-70_000:])
    early, whole = (scorer.look(heard, phrase.spellings, hopeless) for hopeless in (HOPELESS, inf))
    for usual in (True, False):
        said = early.phrase is not None and phrase.margin(early, usual=usual) >= 0
        assert said is (spoken.startswith(word))
        assert (whole.phrase is not None and phrase.margin(whole, usual=usual) >= 0) is said
    if early.phrase is not None:
        assert early.llr <= whole.llr + 0.1  # leaving something out can only make a phrase likelier


def test_how_common_a_phrase_is_comes_along(model: Moonshine, caplog: pytest.LogCaptureFixture) -> None:
    scorer = PhraseScorer(model)
    prior = {text: scorer.prior(text) for text in ("thank you", "hello there", "view glass")}
    assert -9 < prior["thank you"] < 0
    assert prior["view glass"] < -20 < prior["hello there"] < -9
    assert "'thank you' is so common that the recogniser hears it in mere noise" in caplog.text
    assert "hello there" not in caplog.text
    said = scorer.look(samples(synthesised("alexa_slt")[-70_000:]), ["alexa"], HOPELESS)
    assert said.prior == scorer.prior("alexa")


def test_the_first_step_comes_along_with_the_sound(model: Moonshine) -> None:
    sound = model.listen(samples(synthesised("alexa_slt")[-70_000:]))
    again, _ = model.step(sound, np.array([[tokens.START]]), model.begin())
    assert sound.begun[0].argmax() == again.argmax()
    assert np.abs(sound.begun[0].max() - again.max()) < 0.05


def test_whoever_asks_for_a_model_in_one_process_gets_the_same_one() -> None:
    first = shared(packaged())
    assert shared(packaged()) is first
    assert shared(packaged(), 2) is not first
