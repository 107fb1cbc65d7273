"""Transcripts of speech around commands and near them, and of audio in the forms that clients send."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import soxr

from irene_wyoming.engines.asr.guided.engine import Guided
from irene_wyoming.engines.asr.guided.spec import SPEC
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext, Transcription
from irene_wyoming.language.vocabulary import TypedNames
from irene_wyoming.wire.hear import Recording
from tests.conftest import SPEECH_DIR, read_wav
from tests.speech_around import with_silence

HOME = TypedNames(
    areas=("kitchen", "living room", "Mum & Dad's room"),
    devices=("LED strip #2", "thermostat", "back door", "garage door"),
)


@pytest.fixture(scope="module")
def engine() -> AsrEngine:
    values = {name: option.check(option.default) for name, option in SPEC.options.items()}
    made: AsrEngine = SPEC.create(values, EngineContext(vocabulary=HOME))
    return made


def spoken(text: str) -> bytes:
    return read_wav(SPEECH_DIR / f"asr/{text.replace(' ', '_')}.wav").pcm


def hear(engine: AsrEngine, pcm: bytes, answer: str = "both") -> Transcription:
    session = engine.session(AsrRequest(context={"answer": answer}))
    for start in range(0, len(pcm), 2_048):
        session.push(pcm[start : start + 2_048])
    return session.finish()


def scaled(pcm: bytes, db: float) -> bytes:
    samples = np.frombuffer(pcm, "<i2") * 10 ** (db / 20)
    return np.clip(np.rint(samples), -32_768, 32_767).astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("please turn on the kitchen light", "turn on the kitchen light"),
        ("could you turn off the kitchen lights please", "turn off the kitchen lights"),
        ("um close the garage door", "close the garage door"),
        ("turn on the mum and dad's room lights", "turn on the Mum & Dad's room lights"),
        ("turn on the led strip number two", "turn on the LED strip #2"),
        ("set the thermostat to fifteen degrees", "set the thermostat to fifteen degrees"),
        (
            "set the temperature to twenty one and a half degrees",
            "set the temperature to twenty one point five degrees",
        ),
        ("set the timer for an hour and a half", "set the timer for one hour and thirty minutes"),
    ],
)
def test_a_command_is_found_within_what_people_say_and_names_are_written_as_the_home_does(
    engine: AsrEngine, said: str, written: str
) -> None:
    heard = hear(engine, spoken(said))
    assert (heard.text, heard.kind) == (written, "command")
    assert heard.confidence is not None
    assert heard.confidence > 0.5


@pytest.mark.parametrize(
    "said",
    [
        "dim the kitchen lights",
        "turn everything off",
        "turn on the living room lamp",
        "what day is it",
        "turn that off",
    ],
)
def test_what_is_near_a_command_is_no_other_command(engine: AsrEngine, said: str) -> None:
    heard = hear(engine, spoken(said))
    assert heard.kind == "open"
    assert heard.text
    assert hear(engine, spoken(said), "command").text == ""


def test_of_two_opposites_that_sound_alike_none_is_guessed(engine: AsrEngine) -> None:
    """This voice says "unlock" like "and lock"."""
    heard = hear(engine, spoken("unlock the back door"))
    assert heard.kind == "open" or heard.text == "unlock the back door"


@pytest.mark.parametrize("zeros", [0, 1_600, 16_000])
def test_digital_zeros_around_speech_change_nothing(engine: AsrEngine, zeros: int) -> None:
    random = np.random.default_rng(1)
    pcm = np.frombuffer(with_silence(spoken("please turn on the kitchen light")), "<i2")
    room = np.clip(pcm + random.normal(0, 100, len(pcm)), -32_768, 32_767).astype("<i2").tobytes()
    assert hear(engine, bytes(2 * zeros) + room + bytes(2 * zeros)).text == "turn on the kitchen light"


@pytest.mark.parametrize("db", [-25, 0, 12])
def test_the_level_changes_nothing_from_fifty_below_full_scale_to_clipping(engine: AsrEngine, db: float) -> None:
    pcm = scaled(with_silence(spoken("please turn on the kitchen light")), db)
    assert hear(engine, pcm).text == "turn on the kitchen light"


@pytest.mark.parametrize(("db", "reason"), [(-45, "too soft"), (-80, "silence")])
def test_what_is_too_soft_to_be_trusted_is_not_guessed(engine: AsrEngine, db: float, reason: str) -> None:
    heard = hear(engine, scaled(with_silence(spoken("please turn on the kitchen light")), db))
    assert (heard.text, heard.details["reason"]) == ("", reason)


@pytest.mark.parametrize("stray", ["kitchen", "cough"])
def test_a_command_after_a_stray_syllable_is_heard(engine: AsrEngine, stray: str) -> None:
    if stray == "cough":
        cough = np.random.default_rng(3).normal(0, 6_000, 3_200) * np.hanning(3_200)
        syllable = np.clip(cough, -32_768, 32_767).astype("<i2").tobytes()
    else:
        syllable = trimmed(spoken("we need to talk about the kitchen"))[-13_000:]
    pcm = with_silence(syllable + bytes(9_600) + spoken("um close the garage door"))
    assert hear(engine, pcm).text == "close the garage door"


def trimmed(pcm: bytes) -> bytes:
    """Cut a recording from its first loud sample to its last."""
    samples = np.frombuffer(pcm, "<i2")
    loud = np.flatnonzero(np.abs(samples) > 600)
    return samples[loud[0] : loud[-1]].tobytes()


@pytest.mark.parametrize("clatter_s", [0.01, 0.6])
def test_clatter_after_a_command_costs_no_second_decoding(
    engine: AsrEngine, monkeypatch: pytest.MonkeyPatch, clatter_s: float
) -> None:
    """Beside a kitchen something clatters in every pause, as loud as speech at times; the transcript stays."""
    decoded = list[str]()

    def counted(*given: Any) -> Transcription:
        found = transcribe(*given)
        decoded.append(found.text)
        return found

    transcribe = Guided.transcribe
    monkeypatch.setattr(Guided, "transcribe", counted)
    fading = np.exp(-np.arange(round(16_000 * clatter_s)) % 2_400 / 300)  # one stroke each 0.15 s
    clatter = np.clip(np.random.default_rng(1).normal(0, 9_000, len(fading)) * fading, -32_768, 32_767).astype("<i2")
    pcm = spoken("um close the garage door") + bytes(20_000) + clatter.tobytes() + bytes(24_000)
    assert hear(engine, pcm).text == "close the garage door"
    assert decoded == ["close the garage door"]


def test_words_after_a_pause_belong_to_the_command(engine: AsrEngine) -> None:
    """A command by itself is none with other words behind it."""
    pcm = spoken("please turn on the kitchen light") + bytes(16_000) + spoken("we need to talk about the kitchen")
    heard = hear(engine, pcm)
    assert heard.kind == "open"
    assert "talk about" in heard.text.casefold()


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("set the thermostat to fifteen degrees", "set the thermostat to fifteen degrees"),
        ("um close the garage door", "close the garage door"),
    ],
)
def test_steady_noise_is_heard_through(engine: AsrEngine, said: str, written: str) -> None:
    """White noise, 6 dB below the mean of the sentence. The second sentence needs to be heard without the noise."""
    assert hear(engine, noisy(said, 6)).text == written


@pytest.mark.parametrize("snr_db", [14, 12])
@pytest.mark.parametrize("said", ["turn on the living room lamp", "turn on the led strip number two"])
def test_in_noise_an_unknown_device_is_no_known_one(engine: AsrEngine, said: str, snr_db: float) -> None:
    heard = hear(engine, noisy(said, snr_db))
    assert heard.kind != "command" or heard.text == "turn on the LED strip #2"


def noisy(said: str, snr_db: float) -> bytes:
    speech = np.frombuffer(with_silence(spoken(said)), "<i2").astype(np.float64)
    level = np.sqrt(np.mean(speech[speech != 0] ** 2)) * 10 ** (-snr_db / 20)
    noise = np.random.default_rng(2).normal(0, level, len(speech))
    return np.clip(np.rint(speech + noise), -32_768, 32_767).astype("<i2").tobytes()


@pytest.mark.parametrize("cut_s", [0.35, 0.5, 0.7])
def test_a_command_whose_start_is_cut_off_is_no_other_command(engine: AsrEngine, cut_s: float) -> None:
    heard = hear(engine, spoken("set the thermostat to fifteen degrees")[int((0.3 + cut_s) * 16_000) * 2 :])
    assert heard.kind != "command" or heard.text == "set the thermostat to fifteen degrees"


def noises() -> Sequence[tuple[str, bytes]]:
    random = np.random.default_rng(1)
    white = random.normal(0, 1, 48_000)
    hum = np.sign(np.sin(2 * np.pi * 50 * np.arange(48_000) / 16_000))
    tones = sum(np.sin(2 * np.pi * tone * np.arange(48_000) / 16_000) for tone in (262, 330, 392))
    clicks = (np.arange(48_000) % 7_919 == 0) * 5.0
    sounds = {"white": white, "hum": hum, "tones": tones, "clicks": clicks}
    return [(name, np.clip(sound * 2_000, -32_768, 32_767).astype("<i2").tobytes()) for name, sound in sounds.items()]


@pytest.mark.parametrize(("name", "pcm"), noises(), ids=[name for name, _ in noises()])
def test_noise_is_no_command_and_no_words(engine: AsrEngine, name: str, pcm: bytes) -> None:
    heard = hear(engine, pcm)
    assert heard.text == "", name
    assert heard.details["reason"] != "silence"


def test_audio_of_another_rate_than_its_client_says_is_told(
    engine: AsrEngine, speech: Callable[[str], Recording]
) -> None:
    pcm = np.frombuffer(speech("asr/please_turn_on_the_kitchen_light").pcm, "<i2")
    slow = np.asarray(soxr.resample(pcm, 16_000, 48_000)).astype("<i2")
    heard = hear(engine, slow.tobytes(), "command")
    assert heard.text == ""
    assert heard.details["reason"] == "looks like the wrong rate"


def test_what_was_recorded_too_loud_is_told(engine: AsrEngine) -> None:
    heard = hear(engine, scaled(with_silence(spoken("we need to talk about the kitchen")), 40), "command")
    assert (heard.text, heard.details["reason"]) == ("", "clipped")


def test_what_was_nearest_is_told_where_nothing_came(engine: AsrEngine) -> None:
    heard = hear(engine, with_silence(spoken("unlock the back door")), "command")
    assert heard.text in ("", "unlock the back door")
    assert "lock the back door" in str(heard.details["nearest"])
    assert heard.text or isinstance(heard.details["nearest_confidence"], float)


def test_an_hour_of_silence_is_not_kept(engine: AsrEngine) -> None:
    session = engine.session(AsrRequest())
    for _ in range(30):
        session.push(bytes(320_000))
    session.push(with_silence(spoken("please turn on the kitchen light")))
    assert session.finish().text == "turn on the kitchen light"


def test_who_pauses_has_a_transcript_at_once(engine: AsrEngine) -> None:
    """Decoding is done when the pause is heard, and kept if nothing more is said."""
    session = engine.session(AsrRequest())
    session.push(with_silence(spoken("please turn on the kitchen light"), tail_s=0.7))
    first = session.finish()
    assert first.text == "turn on the kitchen light"


def test_what_follows_a_pause_belongs_to_what_was_said(engine: AsrEngine) -> None:
    pcm = spoken("please turn on the kitchen light") + bytes(16_000) + spoken("turn everything off")
    assert hear(engine, pcm).kind == "open"
