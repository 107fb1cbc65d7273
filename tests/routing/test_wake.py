"""The router over real engines, one with a damaged model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from irene_wyoming.engines.base import Score, SecondedScore, WakeEngine, WakeSettings
from irene_wyoming.engines.wake.microwakeword.engine import MicroWakeWord
from irene_wyoming.engines.wake.openwakeword.engine import OpenWakeWord
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.errors import EngineFailed, UnknownModel
from irene_wyoming.routing.wake import WakeRouter
from tests.engines.wake.models import MICROWAKEWORD, OPENWAKEWORD
from tests.engines.wake.speech import synthesised

SETTINGS = TriggerSettings(None, 1, 32_000)


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[WakeEngine]:
    """openWakeWord with a damaged model of alexa and hey_rhasspy."""
    (tmp_path / "models").mkdir()
    (tmp_path / "lib").symlink_to(OPENWAKEWORD.parent / "lib")
    for path in OPENWAKEWORD.glob("*.tflite"):
        if path.stem in ("alexa", "hey_rhasspy"):
            (tmp_path / "models" / path.name).write_bytes(path.read_bytes()[:9000])
        else:
            (tmp_path / "models" / path.name).symlink_to(path)
    engine = OpenWakeWord(tmp_path, SETTINGS)
    yield engine
    engine.close()


@pytest.fixture
def router(broken: WakeEngine) -> Iterator[WakeRouter]:
    micro = MicroWakeWord(MICROWAKEWORD.parent, SETTINGS)
    yield WakeRouter([broken, micro])
    micro.close()


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"kind": "wake", **labels}) or 0


def test_every_word_is_offered_once(router: WakeRouter) -> None:
    assert [info.name for info in router.models()] == ["okay_nabu", "hey_jarvis", "alexa", "hey_mycroft", "hey_rhasspy"]


def test_a_word_whose_model_is_broken_is_heard_by_the_next_engine(router: WakeRouter) -> None:
    failures = "irene_provider_failures_total"
    before = counted(failures, provider="openwakeword", code="engine-failed")
    stood_in = counted("irene_provider_fallbacks_total", provider="microwakeword")
    assert [hit.model for hit in router.session(["alexa"]).push(synthesised("alexa_slt"))] == ["alexa"]
    assert counted(failures, provider="openwakeword", code="engine-failed") == before + 1
    assert counted("irene_provider_fallbacks_total", provider="microwakeword") == stood_in + 1


def test_a_word_that_no_other_engine_knows_fails(router: WakeRouter) -> None:
    with pytest.raises(EngineFailed, match="hey_rhasspy"):
        router.session(["okay_nabu", "hey_rhasspy"])


def test_an_unknown_word_is_refused_with_all_that_are_known(router: WakeRouter) -> None:
    with pytest.raises(UnknownModel, match=r"'nobody'.*hey_rhasspy"):
        router.session(["okay_nabu", "nobody"])


def test_where_a_second_look_decides_every_engine_proposes_and_the_first_one_hits() -> None:
    engines: list[WakeEngine] = [
        OpenWakeWord(OPENWAKEWORD.parent, SETTINGS),
        MicroWakeWord(MICROWAKEWORD.parent, SETTINGS),
    ]
    router = WakeRouter(engines, either=True)
    looked_at = {"alexa": WakeSettings(verify="on")}
    scores: list[Score] = []
    hits = router.session(["alexa"], looked_at, scores.append).push(synthesised("alexa_slt"))
    assert [hit.threshold for hit in hits] == [0.5]
    seconded = [score for score in scores if isinstance(score, SecondedScore)]
    assert {score.threshold for score in seconded} == {0.9}  # what microWakeWord's model recommends
    assert len(seconded) < len(scores) / 2  # the second engine shows no scores of ordinary speech
    scores.clear()
    router.session(["alexa"], on_score=scores.append).push(synthesised("alexa_slt"))
    assert not any(isinstance(score, SecondedScore) for score in scores)
    router.close()


def test_an_engine_that_only_proposes_is_spared_while_the_engines_are_behind() -> None:
    engines: list[WakeEngine] = [
        OpenWakeWord(OPENWAKEWORD.parent, SETTINGS),
        MicroWakeWord(MICROWAKEWORD.parent, SETTINGS),
    ]
    behind = True
    router = WakeRouter(engines, either=True, resting=lambda: behind)
    scores: list[Score] = []
    session = router.session(["alexa"], {"alexa": WakeSettings(verify="on")}, scores.append)
    word = synthesised("alexa_slt")
    assert [hit.model for hit in session.push(word)] == ["alexa"]
    assert not any(isinstance(score, SecondedScore) for score in scores)
    behind = False
    session.push(word)
    seconded = [score.frame for score in scores if isinstance(score, SecondedScore)]
    # places in the whole stream, with the audio left out
    assert len(word) // 2 < min(seconded) <= max(seconded) <= len(word)
    session.close()
    router.close()
