"""Home Assistant, of whatever year, adds the front address and talks to it. Opt-in: it needs a Python that has it.

Seen to pass with Home Assistant 2024.3.3 (which needs Python 3.11), 2025.1.4 (3.12) and 2025.4.4 (3.13)::

    python3.11 -m venv hub && hub/bin/pip install homeassistant==2024.3.3
    hub/bin/python tests/hubs/home_assistant_client.py --install
    IRENE_WYOMING_TEST_HOME_ASSISTANT=hub/bin/python pytest tests/hubs

The second command lets Home Assistant install what its own components need; the test itself installs nothing.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.front import front_server
from irene_wyoming.app.mic import mic_server
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.discovery.zeroconf import instance_name
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording
from tests.conftest import SPEECH_DIR

VARIABLE = "IRENE_WYOMING_TEST_HOME_ASSISTANT"
CLIENT = Path(__file__).with_name("home_assistant_client.py")
TIMEOUT_S = 120
"""Seconds for a run; on a small machine loading Home Assistant takes most of them."""

pytestmark = pytest.mark.skipif(
    not os.environ.get(VARIABLE), reason=f"{VARIABLE} does not name a Python that has Home Assistant installed"
)

OKAY_NABU = str(SPEECH_DIR / "wake" / "okay_nabu_rms.wav")
HEY_JARVIS = str(SPEECH_DIR / "wake" / "hey_jarvis_slt.wav")
COMMAND = str(files("irene_wyoming") / "demo" / "turn_on_the_kitchen_light.wav")
COMMAND_TEXT = "turn on the kitchen light"


@pytest.fixture
async def front(configured: Callable[..., Config]) -> AsyncIterator[Address]:
    """The address that a user gives to Home Assistant."""
    config = configured(MIC__SOURCE__KIND="silence")
    async with wake_server(config) as wake, asr_server(config) as asr, mic_server(config) as mic:
        behind = {"wake": wake.address, "asr": asr.address, "mic": mic.address}
        async with front_server(config, behind) as service:
            yield service.address


async def home_assistant(front: Address, *arguments: str) -> dict[str, Any]:
    """Run Home Assistant in its own process, and return what it saw of the front address."""
    process = await asyncio.create_subprocess_exec(
        os.environ[VARIABLE],
        "-I",  # Home Assistant must not see our module path
        str(CLIENT),
        *("--host", front.host, "--port", str(front.port), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    seen: dict[str, Any] = json.loads(out)
    return seen


async def test_the_address_becomes_one_speech_to_text_and_one_wake_word_entity(front: Address) -> None:
    seen = await home_assistant(front)
    assert seen["state"] == "loaded"
    name = re.sub("[^a-z0-9]+", "_", instance_name("").lower())
    assert seen["entities"] == {f"stt.{name}": "unknown", f"wake_word.{name}": "unknown"}  # nothing heard yet
    assert seen["words"] == ["okay_nabu", "hey_jarvis", "alexa", "hey_mycroft", "hey_rhasspy"]
    assert seen["languages"] == ["en"]
    assert seen["unloaded"]


async def test_the_entities_hear_words_and_commands(front: Address, speech: Callable[[str], Recording]) -> None:
    words = ("--word", "okay_nabu", OKAY_NABU, "--word", "", OKAY_NABU, "--word", "alexa", HEY_JARVIS)
    seen = await home_assistant(front, *words, "--command", COMMAND)
    asked, default, other = seen["detections"]
    assert asked["word"] == default["word"] == "okay_nabu"
    assert 1_000 < asked["timestamp"] < 1_000 * speech("wake/okay_nabu_rms").seconds  # while the recording still ran
    assert other is None
    assert seen["transcripts"] == [{"text": COMMAND_TEXT, "result": "success"}]
    assert "unknown" not in seen["entities_after"].values()


async def test_a_pipeline_is_woken_and_hears_the_command_that_follows(front: Address) -> None:
    seen = await home_assistant(front, "--run", "okay_nabu", OKAY_NABU, COMMAND)
    (run,) = seen["runs"]
    assert "error" not in run
    assert run["wake_word-end"]["wake_word_output"]["wake_word_phrase"] == "Okay Nabu"
    assert run["stt-end"]["stt_output"]["text"] == COMMAND_TEXT
