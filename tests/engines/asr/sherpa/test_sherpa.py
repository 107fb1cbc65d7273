"""The sherpa engine: Moonshine from its wheel, and small real models of other families, on synthesised speech."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from irene_wyoming.engines.asr.sherpa.hotwords import START, of_model
from irene_wyoming.engines.asr.sherpa.spec import SPEC
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext
from irene_wyoming.errors import EngineFailed, EngineUnavailable
from irene_wyoming.language.vocabulary import TypedNames, Vocabulary
from irene_wyoming.models.families import FAMILIES, Found
from tests.conftest import SPEECH_DIR, read_wav
from tests.engines.contract import AsrEngineContract
from tests.models import sherpa

pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed")

DEFAULTS = {name: option.default for name, option in SPEC.options.items()}
LIGHT = "turn on the living room light"
COMMANDS = (LIGHT, "set the bedroom brightness to fifty percent", "set a timer for five minutes")
OFFLINE = ("zipformer-ctc-en", "transducer-en", "nemo-ctc-en")
STREAMING = ("streaming-transducer-en", "streaming-nemo-ctc-en")


STARTS_S = 0.5
"""Seconds from a recording's start to its first word: 0.3 s were added to flite's own silence."""

FIRST_S = 0.4
"""Seconds of speech after which the first word is in the partial text."""


def create(folder: Path, context: EngineContext | None = None, **options: Any) -> AsrEngine:
    settings = DEFAULTS | {"model": str(folder), "threads": 1} | options
    engine: AsrEngine = SPEC.create(settings, context or EngineContext())
    return engine


def moonshine() -> Path:
    """The model in the wheel that the default engine also uses."""
    package = find_spec("moonshine_voice")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "assets" / "tiny-en"


def spoken(text: str) -> bytes:
    return read_wav(SPEECH_DIR / "asr" / f"{text.replace(' ', '_')}.wav").pcm


def hear(engine: AsrEngine, pcm: bytes, request: AsrRequest | None = None) -> str:
    session = engine.session(request or AsrRequest())
    session.push(pcm)
    return session.finish().text


class _Contract(AsrEngineContract):
    folder: Path

    @pytest.fixture
    def engine(self) -> Iterator[AsrEngine]:
        engine = create(self.folder)
        yield engine
        engine.close()

    @pytest.fixture
    def said(self) -> str:
        return LIGHT

    @pytest.fixture
    def speech(self) -> bytes:
        return spoken(LIGHT)


class TestMoonshine(_Contract):
    folder = moonshine()

    @pytest.fixture
    def said(self) -> str:
        return "Turn on the living room light."


class TestZipformerCtc(_Contract):
    folder = sherpa("zipformer-ctc-en")


class TestTransducer(_Contract):
    folder = sherpa("transducer-en")


class TestNemoCtc(_Contract):
    folder = sherpa("nemo-ctc-en")


class TestStreamingTransducer(_Contract):
    folder = sherpa("streaming-transducer-en")


class TestStreamingNemoCtc(_Contract):
    folder = sherpa("streaming-nemo-ctc-en")


@pytest.mark.parametrize("name", [*OFFLINE, *STREAMING])
def test_commands_are_understood(name: str) -> None:
    engine = create(sherpa(name))
    assert [hear(engine, spoken(text)) for text in COMMANDS] == list(COMMANDS)
    engine.close()


@pytest.fixture(scope="module", params=STREAMING)
def streaming(request: pytest.FixtureRequest) -> Iterator[AsrEngine]:
    engine = create(sherpa(request.param))
    yield engine
    engine.close()


def streamed(engine: AsrEngine, pcm: bytes, step: int) -> tuple[list[str], str]:
    """The partial text after each piece, and the transcript."""
    session = engine.session(AsrRequest())
    so_far = []
    for start in range(0, len(pcm), step):
        session.push(pcm[start : start + step])
        so_far.append(session.partial() or "")
    return so_far, session.finish().text


@pytest.mark.parametrize("text", COMMANDS)
def test_words_are_told_while_they_are_spoken(streaming: AsrEngine, text: str) -> None:
    so_far, whole = streamed(streaming, spoken(text), 3_200)
    assert whole == text
    assert [*dict.fromkeys(so_far)][1:-1] == [" ".join(text.split()[:count]) for count in range(1, len(text.split()))]
    first = next(index for index, told in enumerate(so_far) if told)
    assert 0.1 * (first + 1) <= STARTS_S + FIRST_S


@pytest.mark.parametrize("step", [318, 3_200, 1_000_000])
def test_the_cut_of_the_audio_changes_nothing_of_a_stream(streaming: AsrEngine, step: int) -> None:
    assert streamed(streaming, spoken(COMMANDS[2]), step)[1] == COMMANDS[2]


def test_a_command_cut_off_after_its_last_word_is_heard_to_its_end(streaming: AsrEngine) -> None:
    pcm = spoken(COMMANDS[2])
    assert streamed(streaming, pcm[: len(pcm.rstrip(b"\0")) // 2 * 2], 3_200)[1] == COMMANDS[2]


def test_streams_do_not_mix(streaming: AsrEngine) -> None:
    pcm = spoken(COMMANDS[2])
    listening, quiet = streaming.session(AsrRequest()), streaming.session(AsrRequest())
    for start in range(0, len(pcm), 3_200):
        listening.push(pcm[start : start + 3_200])
        quiet.push(bytes(3_200))
    assert listening.finish().text == COMMANDS[2]
    assert quiet.finish().text == ""
    with pytest.raises(EngineFailed, match="closed"):
        listening.push(bytes(2))


@pytest.mark.parametrize("broken", ["encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"])
def test_a_missing_an_empty_and_a_truncated_file_of_moonshine_are_told(tmp_path: Path, broken: str) -> None:
    folder = Path(shutil.copytree(moonshine(), tmp_path / "moonshine-tiny-en"))
    path = folder / broken
    whole = path.read_bytes()
    for content, said in ((whole[: len(whole) // 2], "fetch the model again"), (b"", "is empty")):
        path.write_bytes(content)
        with pytest.raises(EngineUnavailable, match=said):
            create(folder)
    path.unlink()
    with pytest.raises(EngineUnavailable, match=r"moonshine-tiny-en (holds|has no)"):
        create(folder)


def test_the_folders_name_tells_the_language(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sherpa("zipformer-ctc-en"), tmp_path / "sherpa-onnx-zipformer-de-kroko-2025"))
    engine = create(folder)
    assert engine.models()[0].languages == ("de",)
    engine.close()


def test_without_a_model_it_says_how_to_get_one(tmp_path: Path) -> None:
    for context, advice in ((EngineContext(), "data_dir"), (EngineContext(data_dir=tmp_path), "models download")):
        with pytest.raises(EngineUnavailable, match=advice):
            SPEC.create(DEFAULTS, context)
        assert SPEC.offers is not None
        assert [model.installed for model in SPEC.offers(DEFAULTS, context)] == [False]


def test_describing_it_imports_nothing_of_it() -> None:
    script = "import sys; from irene_wyoming.engines.registry import specs; specs('asr'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "sherpa_onnx" not in done.stdout.split()


# ----------------------------------------------------------------------------------------------------------------------
# Hotwords


HOME = Vocabulary.of(["bedroom", "kitchen", "living room"], ["light"])
NOISY = (("transducer-en", 7), ("streaming-transducer-en", 7))
"""Models with seeds of noise in which each misses a name."""


def in_noise(text: str, seed: int) -> bytes:
    """A command in white noise as loud as the speech."""
    speech = np.frombuffer(spoken(text), "<i2").astype(np.float64)
    noise = np.random.default_rng(seed).standard_normal(len(speech)) * np.sqrt(np.mean(speech**2))
    return bytes(np.clip(speech + noise, -32_768, 32_767).astype("<i2").tobytes())


@pytest.mark.parametrize(("name", "seed"), NOISY)
def test_a_transducer_leans_towards_the_names_of_the_home(name: str, seed: int) -> None:
    engine = create(sherpa(name))
    pcm = in_noise(LIGHT, seed)
    assert hear(engine, pcm) != LIGHT
    assert hear(engine, pcm, AsrRequest(vocabulary=HOME)) == LIGHT
    assert hear(engine, pcm, AsrRequest(names=("living room light",))) == LIGHT
    engine.close()
    engine = create(sherpa(name), context=EngineContext(vocabulary=TypedNames(("living room",), ("light",))))
    assert hear(engine, pcm) == LIGHT
    engine.close()


ODD = ("", "/", ":2", "#3", "@x", "AC/DC lamp", "24/7", "\N{ELECTRIC LIGHT BULB}", "Zo\u00eb", "light :x")


@pytest.mark.parametrize("name", [*OFFLINE, *STREAMING])
def test_no_name_harms_any_family(name: str) -> None:
    engine = create(sherpa(name))
    home = Vocabulary.of(ODD, [f"lamp {number}" for number in range(300)])
    assert hear(engine, spoken(LIGHT), AsrRequest(names=ODD, terms=ODD, vocabulary=home)) == LIGHT
    engine.close()


@pytest.mark.parametrize(
    ("tokens", "unit", "text"),
    [
        ("<blk> <unk> _ s l i g h t d e k", "bpe", "light/desk light"),
        ("<blk> _ D E S K L I G H T", "bpe", "LIGHT/DESK LIGHT"),
        ("<blk> _LIGHT D E S K", "bpe", "LIGHT"),
        ("<blk> \u706f \u5ba2 \u5385", "cjkchar", "\u5ba2\u5385\u706f"),
        ("<blk> \u706f _ l i g h t", "cjkchar+bpe", "light"),
        ("<blk> a b", None, ""),
    ],
)
def test_only_what_the_tokens_can_spell_becomes_a_hotword(
    tmp_path: Path, tokens: str, unit: str | None, text: str
) -> None:
    listed = tmp_path / "tokens.txt"
    marked = tokens.replace("_", START).split()
    listed.write_text("".join(f"{token} {number}\n" for number, token in enumerate(marked)))
    found = Found(FAMILIES["transducer"], {"tokens": listed})
    made = of_model(found, ("light", "desk light", "\u5ba2\u5385\u706f"))
    assert (made and made.unit) == unit
    language = "zh" if unit == "cjkchar" else "en"
    assert (made.text(AsrRequest(), language) if made else "") == text
    assert of_model(Found(FAMILIES["nemo_transducer"], {"tokens": listed}), ("light",)) is None
