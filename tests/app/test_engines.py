"""The engines of a wake server when some cannot be loaded. A real one stands in."""

from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from irene_wyoming.app import engines
from irene_wyoming.app.check import Check
from irene_wyoming.app.findings import Level
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import EngineUnavailable
from irene_wyoming.wire.client import describe

Configured = Callable[..., Config]


@pytest.fixture
def without_openwakeword(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that the package is not installed."""
    monkeypatch.setattr(
        "irene_wyoming.engines.registry.find_spec", lambda name: None if name == "pyopen_wakeword" else object()
    )


def counted(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"kind": "wake", **labels})


@pytest.mark.usefixtures("without_openwakeword")
async def test_the_next_provider_stands_in_for_one_that_is_not_installed(
    configured: Configured, caplog: pytest.LogCaptureFixture
) -> None:
    async with wake_server(configured()) as service:
        info = await describe(service.address)
    assert [program.name for program in info.wake] == ["irene-wake", "microwakeword"]
    assert "openwakeword: pyopen_wakeword is not installed; pip install pyopen-wakeword" in caplog.text
    assert "microwakeword stands in for openwakeword, the default" in caplog.text
    assert counted("irene_provider_up", provider="openwakeword") == 0
    assert counted("irene_provider_up", provider="microwakeword") == 1
    assert counted("irene_provider_failures_total", provider="openwakeword", code="engine-unavailable")
    assert counted("irene_provider_fallbacks_total", provider="microwakeword")


@pytest.mark.usefixtures("without_openwakeword")
async def test_check_says_who_stands_in(configured: Configured) -> None:
    config = configured(ASR__ENABLED="false", MIC__ENABLED="false", FRONT__ENABLED="false")
    findings = [finding async for finding in Check(config).findings()]
    warnings = [(finding.about, finding.text) for finding in findings if finding.level is Level.WARNING]
    assert [about for about, _ in warnings] == ["wake.providers.openwakeword", "wake.default_provider"]
    assert warnings[1][1] == "microwakeword stands in for openwakeword, the default"


@pytest.mark.usefixtures("without_openwakeword")
async def test_without_fallbacks_nothing_stands_in(configured: Configured) -> None:
    config = configured(WAKE__FALLBACK_PROVIDERS="[]")
    async with Worker("test") as worker:
        with pytest.raises(EngineUnavailable, match="no provider could be loaded; tried openwakeword"):
            await engines.load("wake", config.wake, engines.context(config), worker)


async def test_check_says_what_else_could_be_used_and_how_it_is_had(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(ASR__ENABLED="false", MIC__ENABLED="false", FRONT__ENABLED="false")
    monkeypatch.setattr(
        "irene_wyoming.engines.registry.find_spec", lambda name: None if name == "openwakeword" else object()
    )
    findings = {finding.about: finding for finding in [found async for found in Check(config).findings()]}
    off = findings["wake.providers.openwakeword_package"]
    assert off.level is Level.OK
    assert off.text.startswith("off. ")
    assert "https://github.com/dscripka/openWakeWord" in off.text
    assert off.text.endswith("pip install --no-deps openwakeword")


def test_an_engine_is_told_what_the_server_answers(configured: Configured) -> None:
    assert engines.context(configured()).answer == "both"
    assert engines.context(configured(ASR__ANSWER="command")).answer == "command"
