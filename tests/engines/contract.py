"""The contract of all engines. A test class per engine inherits it."""

import re
from collections.abc import Sequence

import pytest

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import (
    AsrEngine,
    AsrRequest,
    Hit,
    Score,
    Transcription,
    WakeEngine,
    WakeSession,
    WakeSettings,
)
from irene_wyoming.errors import EngineFailed, UnknownModel, UnsupportedRequest


def push_in_pieces(session: WakeSession, pcm: bytes, frames: int) -> list[Hit]:
    """Give a session ``pcm`` in pieces of ``frames``."""
    size = frames * SPEECH.frame_bytes
    return [hit for start in range(0, len(pcm), size) for hit in session.push(pcm[start : start + size])]


class WakeEngineContract:
    """Inherit it and give the fixtures ``engine`` (fresh, closed afterwards), ``word`` and ``speech``."""

    @pytest.fixture
    def engine(self) -> WakeEngine:
        raise NotImplementedError

    @pytest.fixture
    def word(self) -> str:
        """One of the engine's models."""
        raise NotImplementedError

    @pytest.fixture
    def speech(self) -> bytes:
        """``word`` spoken once, in the engine's format, with some silence around it."""
        raise NotImplementedError

    def names(self, engine: WakeEngine) -> Sequence[str]:
        return [model.name for model in engine.models()]

    def test_hears_16_khz_mono(self, engine: WakeEngine) -> None:
        assert engine.format == SPEECH

    def test_says_what_a_hub_shows(self, engine: WakeEngine, word: str) -> None:
        assert word in self.names(engine)
        assert len(set(self.names(engine))) == len(self.names(engine))
        for model in engine.models():
            assert model.phrase
            assert model.languages
            assert model.author
            assert model.url.startswith("https://")
            assert model.installed

    def test_hears_the_word_once_and_says_where(self, engine: WakeEngine, word: str, speech: bytes) -> None:
        (hit,) = engine.session([word]).push(speech)
        assert hit.model == word
        assert 0 < hit.score <= 1
        assert 0 < hit.frame <= SPEECH.frames(len(speech))

    def test_the_frame_is_within_what_the_session_had_been_given(
        self, engine: WakeEngine, word: str, speech: bytes
    ) -> None:
        session = engine.session([word])
        for given in range(320, SPEECH.frames(len(speech)), 320):
            hits = session.push(speech[(given - 320) * SPEECH.frame_bytes : given * SPEECH.frame_bytes])
            if hits:
                assert given - 320 < hits[0].frame <= given
                return
        pytest.fail(f"{word} was not heard")

    def test_reports_only_words_that_were_asked_for(self, engine: WakeEngine, word: str, speech: bytes) -> None:
        others = [name for name in self.names(engine) if name != word]
        assert engine.session(others).push(speech) == []

    def test_hears_it_among_all_words(self, engine: WakeEngine, word: str, speech: bytes) -> None:
        assert engine.session(self.names(engine)).push(speech) == engine.session([word]).push(speech)

    def test_a_word_named_twice_is_one_word(self, engine: WakeEngine, word: str, speech: bytes) -> None:
        assert len(engine.session([word, word]).push(speech)) == 1

    @pytest.mark.parametrize("frames", [159, 1280, 4096])
    def test_the_cut_of_the_audio_changes_nothing(
        self, engine: WakeEngine, word: str, speech: bytes, frames: int
    ) -> None:
        whole = engine.session([word]).push(speech)
        assert push_in_pieces(engine.session([word]), speech, frames) == whole

    @pytest.mark.parametrize("level", [1, 3])
    def test_who_gives_what_the_session_needs_hears_as_early_as_who_gives_single_frames(
        self, engine: WakeEngine, word: str, speech: bytes, level: int
    ) -> None:
        settings = {word: WakeSettings(trigger_level=level, refractory_s=0)}
        session = engine.session([word], settings)
        given, hits = 0, 0
        while given < SPEECH.frames(len(speech)):
            start, given = given, given + session.needs
            assert given > start
            pcm = speech[start * SPEECH.frame_bytes : given * SPEECH.frame_bytes]
            for hit in session.push(pcm):
                assert hit.frame == given  # so it could not have come earlier
                hits += 1
        assert hits == len(engine.session([word], settings).push(speech)) > 0

    def test_shows_every_score_of_every_word(self, engine: WakeEngine, word: str, speech: bytes) -> None:
        scores: list[Score] = []
        (hit,) = engine.session([word], on_score=scores.append).push(speech)
        assert {score.word for score in scores} == {word}
        assert Score(hit.model, hit.score, hit.frame) in scores
        assert all(0 <= score.score <= 1 for score in scores)

    def test_what_is_set_for_a_word_goes_before_the_engines_own_settings(
        self, engine: WakeEngine, word: str, speech: bytes
    ) -> None:
        def heard(settings: WakeSettings) -> int:
            return len(engine.session([word], {word: settings}).push(speech))

        assert heard(WakeSettings()) == 1
        assert heard(WakeSettings(trigger_level=50)) == 0
        assert heard(WakeSettings(refractory_s=0)) > 1
        assert heard(WakeSettings(min_level_dbfs=0)) == 0
        assert heard(WakeSettings(threshold=1e-30, refractory_s=0)) > heard(WakeSettings(refractory_s=0))

    def test_a_hit_says_how_loud_the_word_was(self, engine: WakeEngine, word: str, speech: bytes) -> None:
        (hit,) = engine.session([word]).push(speech)
        assert hit.level_dbfs is not None
        assert hit.snr_db is not None
        assert -40 < hit.level_dbfs < 0
        assert hit.snr_db > 10

    def test_nothing_in_nothing_out(self, engine: WakeEngine, word: str) -> None:
        assert list(engine.session([word]).push(b"")) == []

    def test_half_a_frame_is_the_callers_mistake(self, engine: WakeEngine, word: str) -> None:
        with pytest.raises(ValueError, match="3 bytes"):
            engine.session([word]).push(bytes(3))

    def test_a_new_session_knows_nothing_of_the_one_before(self, engine: WakeEngine, word: str, speech: bytes) -> None:
        first = engine.session([word])
        hits = first.push(speech)
        first.close()
        assert engine.session([word]).push(speech) == hits

    def test_two_sessions_do_not_mix(self, engine: WakeEngine, word: str, speech: bytes) -> None:
        listening, quiet = engine.session([word]), engine.session([word])
        hits: list[Hit] = []
        for start in range(0, len(speech), 2000):
            hits += listening.push(speech[start : start + 2000])
            assert quiet.push(bytes(2000)) == []
        assert hits == engine.session([word]).push(speech)

    def test_an_unknown_word_is_refused_with_the_known_ones(self, engine: WakeEngine, word: str) -> None:
        with pytest.raises(UnknownModel, match=f"'hey_nobody'.*{word}"):
            engine.session([word, "hey_nobody"])

    def test_a_session_without_words_is_the_callers_mistake(self, engine: WakeEngine) -> None:
        with pytest.raises(ValueError, match="at least one word"):
            engine.session([])

    def test_a_closed_session_can_be_closed_again_and_hears_nothing_more(self, engine: WakeEngine, word: str) -> None:
        session = engine.session([word])
        session.close()
        session.close()
        with pytest.raises(EngineFailed, match="closed"):
            session.push(bytes(2))

    def test_a_session_left_behind_by_an_exception_does_not_hide_it(self, engine: WakeEngine, word: str) -> None:
        def fail() -> None:
            left = engine.session([word])
            raise KeyError(left.__class__.__name__)

        with pytest.raises(KeyError):
            fail()

    def test_a_closed_engine_can_be_closed_again_and_opens_nothing(self, engine: WakeEngine, word: str) -> None:
        session = engine.session([word])
        engine.close()
        engine.close()
        with pytest.raises(EngineFailed, match="closed"):
            engine.session([word])
        session.close()


class AsrEngineContract:
    """Inherit it and give the fixtures ``engine`` (fresh, closed afterwards), ``said`` and ``speech``."""

    @pytest.fixture
    def engine(self) -> AsrEngine:
        raise NotImplementedError

    @pytest.fixture
    def said(self) -> str:
        """The sentence in ``speech``, as the engine writes it."""
        raise NotImplementedError

    @pytest.fixture
    def speech(self) -> bytes:
        """A sentence, in the engine's format, with some silence around it."""
        raise NotImplementedError

    @pytest.fixture
    def expected(self) -> AsrRequest:
        """A request with hints that a client may send."""
        return AsrRequest(names=("Kitchen", '\u00e5ngstr\u00f6m "lamp"'), terms=("light",))

    def hear(
        self, engine: AsrEngine, pcm: bytes, request: AsrRequest | None = None, step: int = 2_048
    ) -> Transcription:
        session = engine.session(request or AsrRequest())
        try:
            for start in range(0, len(pcm), step):
                session.push(pcm[start : start + step])
            return session.finish()
        finally:
            session.close()

    def test_hears_16_khz_mono(self, engine: AsrEngine) -> None:
        assert engine.format == SPEECH

    def test_says_what_a_hub_shows(self, engine: AsrEngine) -> None:
        assert engine.name
        for model in engine.models():
            assert model.name
            assert model.languages
            assert model.author
            assert model.url.startswith("https://")
            assert model.installed

    def test_says_what_was_said(self, engine: AsrEngine, said: str, speech: bytes) -> None:
        heard = self.hear(engine, speech)
        assert heard.text == said
        assert heard.provider == engine.name
        assert heard.language
        assert heard.confidence is None or 0 <= heard.confidence <= 1

    @pytest.mark.parametrize("step", [318, 3_200, 1_000_000])
    def test_the_cut_of_the_audio_changes_nothing(self, engine: AsrEngine, said: str, speech: bytes, step: int) -> None:
        assert self.hear(engine, speech, step=step).text == said

    def test_a_model_and_a_language_that_it_has_may_be_asked_for(
        self, engine: AsrEngine, said: str, speech: bytes
    ) -> None:
        model = engine.models()[0]
        request = AsrRequest(model=model.name, language=model.languages[0])
        assert self.hear(engine, speech, request).text == said
        assert self.hear(engine, speech, AsrRequest(language=f"{model.languages[0]}-XX")).text == said

    def test_what_is_likely_to_be_said_does_no_harm(
        self, engine: AsrEngine, said: str, speech: bytes, expected: AsrRequest
    ) -> None:
        assert self.hear(engine, speech, expected).text == said

    def test_another_model_is_refused_with_the_known_ones(self, engine: AsrEngine) -> None:
        with pytest.raises(UnknownModel, match=f"'nothing'.*{re.escape(engine.models()[0].name)}"):
            engine.session(AsrRequest(model="nothing"))

    def test_a_language_that_it_has_not_is_refused(self, engine: AsrEngine) -> None:
        with pytest.raises(UnsupportedRequest, match="'tlh'"):
            engine.session(AsrRequest(language="tlh"))

    @pytest.mark.parametrize("pcm", [b"", bytes(2), bytes(32_000)])
    def test_silence_says_nothing(self, engine: AsrEngine, pcm: bytes) -> None:
        assert self.hear(engine, pcm).text == ""

    def test_half_a_frame_is_the_callers_mistake(self, engine: AsrEngine) -> None:
        session = engine.session(AsrRequest())
        with pytest.raises(ValueError, match=r"3 bytes|multiple of element size"):
            session.push(bytes(3))
        session.close()

    def test_the_text_so_far_is_text_or_nothing(self, engine: AsrEngine, speech: bytes) -> None:
        session = engine.session(AsrRequest())
        for start in range(0, len(speech), 3_200):
            session.push(speech[start : start + 3_200])
            assert isinstance(session.partial(), str | None)
        session.close()

    def test_two_sessions_do_not_mix(self, engine: AsrEngine, said: str, speech: bytes) -> None:
        listening, quiet = engine.session(AsrRequest()), engine.session(AsrRequest())
        for start in range(0, len(speech), 3_200):
            listening.push(speech[start : start + 3_200])
            quiet.push(bytes(3_200))
        assert (listening.finish().text, quiet.finish().text) == (said, "")

    def test_a_closed_session_can_be_closed_again_and_hears_nothing_more(self, engine: AsrEngine) -> None:
        session = engine.session(AsrRequest())
        session.close()
        session.close()
        with pytest.raises(EngineFailed, match="closed"):
            session.push(bytes(2))
        with pytest.raises(EngineFailed, match="closed"):
            session.finish()

    def test_a_finished_session_hears_nothing_more(self, engine: AsrEngine, speech: bytes) -> None:
        session = engine.session(AsrRequest())
        session.push(speech)
        session.finish()
        with pytest.raises(EngineFailed, match="closed"):
            session.finish()

    def test_a_closed_engine_can_be_closed_again(self, engine: AsrEngine) -> None:
        engine.close()
        engine.close()
