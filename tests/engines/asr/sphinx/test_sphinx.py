"""The sphinx engine: real decoders on synthesised speech."""

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from random import Random

import numpy as np
import pytest
from hassil import Intents, recognize
from hassil.intents import SlotList, TextSlotList
from home_assistant_intents import get_intents

from irene_wyoming.engines.asr.sphinx.commands import DEFAULT_AREAS, DEFAULT_DEVICES, FLOORS, likelihood, spoken
from irene_wyoming.engines.asr.sphinx.engine import Sphinx
from irene_wyoming.engines.asr.sphinx.spec import SPEC
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext, Transcription, Vocabulary
from irene_wyoming.errors import ConfigError, EngineFailed, UnknownModel, UnsupportedRequest
from irene_wyoming.wire.hear import Recording
from tests.conftest import SPEECH_DIR, read_wav
from tests.engines.contract import AsrEngineContract

Speech = Callable[[str], Recording]
LIGHT = "turn on the living room light"
BRIGHTNESS = "set the bedroom brightness to fifty percent"
TIMER = "set a timer for five minutes"
OTHERS = (
    "the light of the moon was very bright",
    "we need to talk about the kitchen",
    "she turned around and walked away",
)


@pytest.fixture(scope="module")
def loaded() -> Iterator[Sphinx]:
    engine = Sphinx(Vocabulary())
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def engine(loaded: Sphinx) -> Sphinx:
    return loaded


class TestContract(AsrEngineContract):
    @pytest.fixture
    def engine(self, loaded: Sphinx) -> AsrEngine:
        """One for all: making it takes half a second, and closing it gives nothing back."""
        return loaded

    @pytest.fixture
    def said(self) -> str:
        return LIGHT

    @pytest.fixture
    def speech(self) -> bytes:
        return read_wav(SPEECH_DIR / f"{wav(LIGHT)}.wav").pcm


def wav(text: str) -> str:
    return f"asr/{text.replace(' ', '_')}"


def hear(engine: Sphinx, recording: Recording, step: int = 640) -> str:
    session = engine.session(AsrRequest())
    for start in range(0, len(recording.pcm), step):
        session.push(recording.pcm[start : start + step])
    return session.finish().text


@pytest.mark.parametrize("text", [LIGHT, BRIGHTNESS, TIMER])
def test_a_command_is_understood(engine: Sphinx, speech: Speech, text: str) -> None:
    assert hear(engine, speech(wav(text))) == text


@pytest.mark.parametrize("text", OTHERS)
def test_other_speech_gives_an_empty_transcript(engine: Sphinx, speech: Speech, text: str) -> None:
    assert hear(engine, speech(wav(text))) == ""


@pytest.mark.parametrize("word", ["okay_nabu_rms", "hey_jarvis_slt", "alexa_slt", "hey_mycroft_slt", "hey_rhasspy_slt"])
def test_a_wake_word_gives_an_empty_transcript(engine: Sphinx, speech: Speech, word: str) -> None:
    assert hear(engine, speech(f"wake/{word}")) == ""


def test_the_confidence_tells_commands_from_other_speech(engine: Sphinx, speech: Speech) -> None:
    def sure(text: str) -> float:
        session = engine.session(AsrRequest())
        session.push(speech(wav(text)).pcm)
        return session.finish().confidence or 0.0

    assert min(map(sure, (LIGHT, BRIGHTNESS, TIMER))) > 0.6
    assert max(map(sure, OTHERS)) < 0.4


@pytest.mark.parametrize("text", [LIGHT, OTHERS[0]])
def test_the_cut_of_the_audio_changes_nothing(engine: Sphinx, speech: Speech, text: str) -> None:
    def heard(step: int) -> Transcription:
        session = engine.session(AsrRequest())
        pcm = bytes(40_000) + speech(wav(text)).pcm + bytes(24_000)
        for start in range(0, len(pcm), step):
            session.push(pcm[start : start + step])
        return session.finish()

    assert heard(320) == heard(1_234) == heard(64_000) == heard(1_000_000)


@pytest.mark.parametrize("over_db", [20, 10])
def test_a_command_is_understood_in_noise(engine: Sphinx, speech: Speech, over_db: int) -> None:
    pcm = np.frombuffer(speech(wav(TIMER)).pcm, "<i2").astype(float)
    noise = np.random.default_rng(1).normal(0, np.sqrt(np.mean(pcm**2)) / 10 ** (over_db / 20), len(pcm))
    session = engine.session(AsrRequest())
    session.push(np.clip(pcm + noise, -32_768, 32_767).astype("<i2").tobytes())
    assert session.finish().text == TIMER


def test_who_pauses_has_a_transcript_at_once(engine: Sphinx, speech: Speech) -> None:
    """Whatever else happens: at the end of the audio nothing is left to decode."""
    session = engine.session(AsrRequest())
    began = time.process_time()
    session.push(speech(wav(LIGHT)).pcm + bytes(9_600))
    paused = time.process_time()
    assert session.finish().text == LIGHT
    assert time.process_time() - paused < (paused - began) / 3


def test_a_pause_within_a_command_does_not_end_it(engine: Sphinx, speech: Speech) -> None:
    """The first words alone are no command; those after the pause belong to them."""
    pcm = speech(wav(TIMER)).pcm
    other = speech(wav(OTHERS[1])).pcm
    session = engine.session(AsrRequest())
    session.push(pcm + bytes(16_000) + other)
    assert session.finish().text == ""


def test_an_hour_of_noise_is_not_kept(engine: Sphinx) -> None:
    pcm = np.random.default_rng(1).normal(0, 300, 160_000).astype("<i2").tobytes()
    session = engine.session(AsrRequest())
    tracemalloc.start()
    try:
        for _ in range(20):  # 200 s are 6.4 MB
            session.push(pcm)
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
    assert session.finish().text == ""


def test_an_utterance_does_not_depend_on_the_one_before(engine: Sphinx, speech: Speech) -> None:
    texts = (LIGHT, OTHERS[0], LIGHT, TIMER, OTHERS[2], LIGHT)
    heard = []
    for text in texts:
        session = engine.session(AsrRequest())
        session.push(speech(wav(text)).pcm)
        heard.append(session.finish())
    assert heard[2] == heard[5] == heard[0]


def test_an_utterance_given_up_half_way_leaves_no_trace(engine: Sphinx, speech: Speech) -> None:
    session = engine.session(AsrRequest())
    session.push(speech(wav(TIMER)).pcm[:40_000])
    session.close()
    session.close()
    assert hear(engine, speech(wav(LIGHT))) == LIGHT


def test_people_who_speak_at_once_are_all_understood(engine: Sphinx, speech: Speech) -> None:
    texts = [LIGHT, TIMER, BRIGHTNESS]
    sessions = [engine.session(AsrRequest()) for _ in texts]
    recordings = [speech(wav(text)) for text in texts]
    for start in range(0, max(len(recording.pcm) for recording in recordings), 3_200):
        for session, recording in zip(sessions, recordings, strict=True):
            session.push(recording.pcm[start : start + 3_200])
    assert [session.finish().text for session in sessions] == texts


def test_nothing_and_silence_give_an_empty_transcript(engine: Sphinx) -> None:
    for pcm in (b"", bytes(2), bytes(64_000)):
        session = engine.session(AsrRequest())
        session.push(pcm)
        assert session.finish().text == ""
    assert engine.session(AsrRequest()).finish().text == ""


def test_a_closed_session_takes_nothing_more(engine: Sphinx) -> None:
    session = engine.session(AsrRequest())
    session.finish()
    with pytest.raises(EngineFailed):
        session.push(bytes(640))
    with pytest.raises(EngineFailed):
        session.finish()


@pytest.mark.parametrize("language", [None, "en", "en-US", "en_GB", "EN"])
def test_every_english_is_taken(engine: Sphinx, language: str | None) -> None:
    engine.session(AsrRequest(language=language)).close()


def test_a_request_that_cannot_be_met_is_refused(engine: Sphinx) -> None:
    with pytest.raises(UnsupportedRequest, match="'de': sphinx knows en"):
        engine.session(AsrRequest(language="de"))
    with pytest.raises(UnknownModel, match="sphinx-en-commands"):
        engine.session(AsrRequest(model="tiny"))


def test_names_of_the_home_take_the_place_of_the_default_ones(speech: Speech) -> None:
    engine = Sphinx(Vocabulary(areas=("Living Room",), devices=("Zigbee Lamp", "TV 2")))
    assert hear(engine, speech(wav(LIGHT))) == LIGHT
    assert hear(engine, speech(wav(BRIGHTNESS))) == ""


def test_a_name_that_no_dictionary_has_is_told_and_does_not_stop_it(caplog: pytest.LogCaptureFixture) -> None:
    engine = Sphinx(Vocabulary(areas=("Kuschelecke", "Küche"), devices=("Blorkomat 3000", "日本", "é", "Ω")))
    for word in ("kuschelecke", "blorkomat", "日本"):
        assert word in caplog.text
    assert "pronunciations" in caplog.text
    assert engine.grammar.accepts("turn on the küche light")
    engine.close()


def test_further_sentences_are_understood(speech: Speech) -> None:
    engine = Sphinx(Vocabulary(), sentences=["she turned around [and walked (away|off)]"])
    assert hear(engine, speech(wav(OTHERS[2]))) == OTHERS[2]


def test_a_word_of_a_sentence_that_no_dictionary_has_is_told(caplog: pytest.LogCaptureFixture) -> None:
    engine = Sphinx(Vocabulary(), sentences=["open the zorgblat"])
    assert "zorgblat" in caplog.text
    assert engine.grammar.accepts("open the zorgblat")


@pytest.mark.parametrize("sentence", ["turn (on", "{nothing} on", "<nothing> on"])
def test_a_sentence_that_cannot_be_read_is_refused(sentence: str) -> None:
    with pytest.raises(ConfigError, match=r"asr\.providers\.sphinx\.sentences"):
        Sphinx(Vocabulary(), sentences=[sentence])


def test_a_phone_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="zigbee: no phone QQ"):
        Sphinx(Vocabulary(), pronunciations={"zigbee": "Z IH QQ"})


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("sentences", "turn on"),
        ("sentences", [""]),
        ("sentences", [1]),
        ("pronunciations", ["zigbee"]),
        ("pronunciations", {"zigbee": 1}),
        ("rejection", True),
        ("rejection", 1_000),
        ("rejection", -0.1),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(option: str, value: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        SPEC.options[option].check(value)


def test_describing_the_engine_loads_nothing_heavy() -> None:
    code = (
        "import sys; import irene_wyoming.engines.asr.sphinx.spec; "
        "print([m for m in ('pocketsphinx', 'hassil', 'home_assistant_intents', 'numpy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("seconds", [0, 5, 20])
def test_silence_around_a_command_does_not_make_it_doubtful(engine: Sphinx, speech: Speech, seconds: int) -> None:
    session = engine.session(AsrRequest())
    session.push(bytes(32_000 * seconds) + speech(wav(LIGHT)).pcm + bytes(32_000 * seconds))
    heard = session.finish()
    assert heard.text == LIGHT
    assert heard.confidence is not None
    assert heard.confidence > 0.9


@pytest.mark.parametrize("level", [100, 1_000, 5_000])
@pytest.mark.parametrize("kind", ["white", "pink", "hum", "clicks"])
def test_noise_is_no_command(engine: Sphinx, kind: str, level: int) -> None:
    random = np.random.default_rng(level)
    white = random.normal(0, 1, 96_000)
    spectrum = np.fft.rfft(white)
    noise = {
        "white": white,
        "pink": np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), 96_000) * 20,
        "hum": np.sign(np.sin(2 * np.pi * 50 * np.arange(96_000) / 16_000)),
        "clicks": (np.arange(96_000) % 7_919 == 0) * 5.0,
    }[kind]
    session = engine.session(AsrRequest())
    session.push(np.clip(noise * level, -32_768, 32_767).astype("<i2").tobytes())
    assert session.finish().text == ""


def test_every_command_is_understood_by_home_assistant(engine: Sphinx) -> None:
    intents = Intents.from_dict(get_intents("en") or {})
    kinds = ("light", "switch", "fan", "cover", "lock", "media_player", "climate", "vacuum", "sensor", "todo")
    lists: dict[str, SlotList] = {
        "area": TextSlotList.from_strings(DEFAULT_AREAS),
        "floor": TextSlotList.from_strings(FLOORS),
        "name": TextSlotList.from_tuples(
            (spoken(name), name, {"domain": kind}) for name in (*DEFAULT_DEVICES, "shopping list") for kind in kinds
        ),
    }
    random = Random(1)
    for sentence in {engine.grammar.sentence(random) for _ in range(400)}:
        found = recognize(
            sentence, intents, slot_lists=lists, intent_context={"area": "kitchen"}
        )  # the satellite's room
        assert found is not None, sentence


def test_the_spec_makes_the_engine() -> None:
    values = {name: option.check(option.default) for name, option in SPEC.options.items()}
    engine = SPEC.create(values, EngineContext())
    assert [model.name for model in engine.models()] == ["sphinx-en-commands"]
    engine.close()


@pytest.mark.parametrize(
    ("before", "likely", "unlikely"),
    [
        ("open", "the", "gate"),
        ("set the volume to", "fifty", "fifteen"),
        ("set the volume to fifty", "percent", "six"),
        ("set the temperature to", "eighteen", "eighty"),
    ],
)
def test_in_noise_it_is_taken_for_what_people_mostly_say(
    loaded: Sphinx, before: str, likely: str, unlikely: str
) -> None:
    choices = choices_after(loaded, before)
    assert likelihood(likely, choices) > likelihood(unlikely, choices)


def test_a_timer_may_run_for_any_number_of_minutes(loaded: Sphinx) -> None:
    choices = choices_after(loaded, "set a timer for")
    assert likelihood("thirteen", choices) == likelihood("thirty", choices) == 1


def choices_after(engine: Sphinx, words: str) -> set[str]:
    """What may be said next."""
    state = 0
    for word in words.split():
        state = engine.grammar.arcs[state][word]
    return set(engine.grammar.arcs[state])
