"""``wake.licence``, and the findings of ``check`` about licences of models."""

from collections.abc import Callable
from pathlib import Path

import pytest
from wyoming.info import Info

from irene_wyoming.app import doubts, licences
from irene_wyoming.app.check import Check
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.engines.base import EngineContext, ModelInfo
from irene_wyoming.engines.registry import spec
from irene_wyoming.models.catalogue import Entry
from irene_wyoming.wire.client import describe
from tests.config.files import ROOT

NOT_COMMERCIAL = {"okay_nabu", "hey_jarvis", "alexa", "hey_mycroft", "hey_rhasspy"}


async def told(config: Config) -> Info:
    async with wake_server(config) as service:
        return await describe(service.address, 10)


async def test_commercial_use_leaves_the_words_out_that_forbid_it(configured: Callable[..., Config]) -> None:
    words = {
        licence: {
            program.name: {model.name for model in program.models}
            for program in (await told(configured(WAKE__LICENCE=licence))).wake
        }
        for licence in ("any", "commercial")
    }
    assert words["any"]["openwakeword"] == NOT_COMMERCIAL
    assert words["commercial"]["openwakeword"] == set()
    assert words["commercial"]["microwakeword"] == words["any"]["microwakeword"] == NOT_COMMERCIAL - {"hey_rhasspy"}
    assert words["commercial"]["irene-wake"] == words["commercial"]["microwakeword"]


def test_words_of_ones_own_are_offered_all_the_same(tmp_path: Path) -> None:
    from irene_wyoming.engines.wake.packages import PYOPEN_WAKEWORD

    (tmp_path / "my_word.tflite").write_bytes((PYOPEN_WAKEWORD.folder() / "models/alexa.tflite").read_bytes())
    engine = spec("wake", "openwakeword")
    options = {name: option.default for name, option in engine.options.items()} | {"folders": [str(tmp_path)]}
    made = engine.create(options, EngineContext(commercial=True))
    assert [(model.name, model.licence) for model in made.models()] == [("my_word", None)]
    made.close()


def test_a_word_that_is_left_out_is_told_with_the_reason(configured: Callable[..., Config]) -> None:
    config = configured(WAKE__LICENCE="commercial", WAKE__DEFAULT_MODELS="[Hey Rhasspy, okay_nabu]")
    assert doubts.of_words(config.wake, ["okay_nabu"], None) == [
        "wake.default_models: 'Hey Rhasspy' is not offered, since wake.licence is commercial; known are okay_nabu"
    ]


async def test_check_says_which_licences_apply(configured: Callable[..., Config]) -> None:
    config = configured(ASR__ENABLED="false", MIC__ENABLED="false", FRONT__ENABLED="false")
    findings = {finding.about: finding.text async for finding in Check(config).findings()}
    assert findings["wake licences"] == (
        "openwakeword: CC-BY-NC-SA-4.0 (not for commercial use): "
        "okay_nabu, hey_jarvis, alexa, hey_mycroft, hey_rhasspy; "
        "microwakeword: Apache-2.0: okay_nabu, hey_jarvis, alexa, hey_mycroft"
    )


def test_a_fetched_model_has_the_licence_that_the_catalogue_says() -> None:
    model = ModelInfo("tiny", ("en",), "", "", "")
    catalogue = [Entry("whisper", "tiny", ("*",), "MIT", ())]
    assert licences.told({"whisper": [model]}, catalogue) == "whisper: MIT: tiny"
    assert licences.told({"vosk": [model]}, catalogue) == "vosk: not known here: tiny"
    assert licences.told({"vosk": []}, catalogue) == "no model is loaded"


@pytest.mark.parametrize("kind", ["wake", "asr"])
def test_the_list_of_licences_has_each_one_that_an_engine_tells(kind: str) -> None:
    """LICENCES.md writes the names of Creative Commons licences with blanks, as Creative Commons does."""
    listed = (ROOT / "LICENCES.md").read_text().replace(" ", "-")
    known = {"wake": ("openwakeword", "microwakeword"), "asr": ("guided",)}[kind]
    for name in known:
        engine = spec(kind, name)  # type: ignore[arg-type]  # one of the two
        options = {option: one.default for option, one in engine.options.items()}
        made = engine.create(options, EngineContext())
        assert {model.licence for model in made.models() if str(model.licence) not in listed} == set()
        made.close()
