"""OpenAI's forms translated for engines, and batches; without Ray, which nothing here imports."""

import io
import subprocess
import sys
import wave
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.asr.guided.spec import SPEC as GUIDED
from irene_wyoming.engines.base import AsrEngine, AsrRequest, AsrSession, ModelInfo, Transcription
from irene_wyoming.errors import EngineFailed, EngineTimeout, UnknownModel, UnsupportedRequest
from irene_wyoming.farm.batch import transcribed
from irene_wyoming.farm.forms import LONGEST_S, BadForm, Job, answer, job, listed, speech
from tests.engines.asr.conftest import made
from tests.engines.asr.elsewhere import LIGHT, TIMER, recording
from tests.farm.cluster import FARM


def wav(pcm: bytes, form: AudioFormat = SPEECH) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setframerate(form.rate)
        writer.setsampwidth(form.width)
        writer.setnchannels(form.channels)
        writer.writeframes(pcm)
    return file.getvalue()


def test_a_form_becomes_a_request() -> None:
    fields = {"model": "large", "language": "de", "prompt": "Küche, Lampe,, a\nb", "response_format": "json"}
    found = job(fields, wav(bytes(64)))
    assert found == Job(AsrRequest(model="large", language="de", names=("Küche", "Lampe")), bytes(64))
    for nothing in ({}, {"model": "whisper-1"}, {"model": "", "prompt": ""}):
        assert job(nothing, wav(bytes(64))).request == AsrRequest()


@pytest.mark.parametrize(
    ("form", "frame"),
    [
        (AudioFormat(48_000, 2, 2), b"\x00\x10\x00\x10"),
        (AudioFormat(8_000, 3, 1), b"\x00\x00\x10"),
        (AudioFormat(16_000, 1, 1), b"\x90"),  # unsigned: the middle is 0x80
    ],
)
def test_wav_files_of_other_formats_are_converted(form: AudioFormat, frame: bytes) -> None:
    pcm = speech(wav(frame * form.rate, form))
    assert len(pcm) == pytest.approx(32_000, abs=200)
    assert int.from_bytes(pcm[16_000:16_002], "little", signed=True) == pytest.approx(0x1000, rel=0.02)


@pytest.mark.parametrize(
    ("fields", "file", "words"),
    [
        ({}, b"", "file: expected a wav file with PCM"),
        ({}, b"OggS", "file: expected a wav file with PCM"),
        ({}, wav(bytes(64))[:30], "file: expected a wav file with PCM"),
        ({}, wav(bytes(round(LONGEST_S * 32_000) + 3_200)), "at most 60 s of audio"),
        ({"response_format": "srt"}, wav(bytes(64)), "response_format 'srt': expected json"),
    ],
)
def test_forms_that_are_none_are_refused(fields: dict[str, str], file: bytes, words: str) -> None:
    with pytest.raises(BadForm, match=words):
        job(fields, file)


def test_answers_are_those_of_the_api() -> None:
    assert answer(Transcription("turn on", "en", "guided", 0.9)) == (
        200,
        {"text": "turn on", "language": "en", "confidence": 0.9},
    )
    assert answer(Transcription("", "en", "guided")) == (200, {"text": "", "language": "en"})
    for error, status, code in (
        (UnknownModel("no"), 404, "model_not_found"),
        (UnsupportedRequest("no"), 400, "unsupported-request"),
        (EngineTimeout("no"), 500, "engine-timeout"),
    ):
        found, content = answer(error)
        assert (found, content["error"]["message"], content["error"]["code"]) == (status, "no", code)


def test_models_are_listed_with_their_languages() -> None:
    model = ModelInfo("large", languages=("de",), description="x", author="y", url="https://example.org")
    (one,) = listed([model], "whisper")["data"]
    assert (one["id"], one["owned_by"], one["languages"]) == ("large", "whisper", ["de"])


def test_the_packaged_description_names_what_there_is() -> None:
    (application,) = yaml.safe_load(FARM.read_text())["applications"]
    module, _, name = application["import_path"].partition(":")
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    assert f"def {name}(" in Path(spec.origin).read_text()
    assert application["args"].keys() <= {"provider", "config"}
    (deployment,) = application["deployments"]
    assert f'name="{deployment["name"]}"' in Path(spec.origin).read_text()
    assert deployment["user_config"].keys() == {"batch", "wait_s"}


# Batches


@pytest.fixture(scope="module")
def guided() -> Iterator[AsrEngine]:
    engine = made(GUIDED)
    yield engine
    engine.close()


def texts(results: Sequence[Any]) -> list[Any]:
    return [result.text if isinstance(result, Transcription) else type(result) for result in results]


def test_each_of_several_is_answered_and_nobody_pays_for_another(guided: AsrEngine) -> None:
    jobs = [
        Job(AsrRequest(), recording(LIGHT)),
        Job(AsrRequest(model="none"), recording(LIGHT)),
        Job(AsrRequest(), recording(TIMER)),
    ]
    assert texts(transcribed(guided, jobs)) == [LIGHT, UnknownModel, TIMER]


class Together:
    """A Batching engine that wraps another one and counts."""

    def __init__(self, engine: AsrEngine, *, breaks: bool = False) -> None:
        self._engine = engine
        self._breaks = breaks
        self.batches: list[int] = []
        self.name, self.format = engine.name, engine.format

    def models(self) -> Sequence[ModelInfo]:
        return self._engine.models()

    def session(self, request: AsrRequest) -> AsrSession:
        return self._engine.session(request)

    def finish_all(self, sessions: Sequence[AsrSession]) -> Sequence[Transcription]:
        self.batches.append(len(sessions))
        if self._breaks:
            raise EngineFailed("together: no memory")
        return [session.finish() for session in sessions]

    def close(self) -> None: ...


@pytest.mark.parametrize("breaks", [False, True])
def test_an_engine_that_can_decodes_them_together(guided: AsrEngine, breaks: bool) -> None:
    engine = Together(guided, breaks=breaks)
    jobs = [
        Job(AsrRequest(), recording(TIMER)),
        Job(AsrRequest(language="tlh"), recording(LIGHT)),
        Job(AsrRequest(), recording(LIGHT)),
    ]
    assert texts(transcribed(engine, jobs)) == [TIMER, UnsupportedRequest, LIGHT]
    assert engine.batches == [2]


def test_nothing_of_ray_is_imported_without_its_deployment() -> None:
    code = (
        "import sys, irene_wyoming.__main__, irene_wyoming.farm.batch, irene_wyoming.app.asr, irene_wyoming.app.run;"
        "from irene_wyoming.engines.registry import specs; specs('asr');"
        "import irene_wyoming.engines.asr.remote.pool, irene_wyoming.engines.asr.remote.http;"
        "assert not {'ray', 'starlette', 'fastapi'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
