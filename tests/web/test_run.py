"""The page of running servers: speech arrives, and a slider changes how a word is heard."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from aiohttp import ClientSession
from playwright.async_api import Browser, expect
from wyoming.audio import AudioStop
from wyoming.client import AsyncClient
from wyoming.wake import Detect, Detection

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.audio.wav import wav
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording, detect, transcribe
from tests.attack.process import free_ports
from tests.conftest import SPEECH_DIR, read_wav, until
from tests.servers.clients import audio_start, chunks, read
from tests.web.browser import DESKTOP, PHONE, needs_chromium, shot, tab
from tests.web.conftest import SPOKEN
from tests.web.hostile import SOCKETS, hostile

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]

WORD = SPEECH_DIR / "wake" / "okay_nabu_rms.wav"


@dataclass(frozen=True)
class Household:
    """A running program with a page."""

    url: str
    wake: Address
    asr: Address
    changes: Path
    figures: str
    """Address of the metrics for Prometheus."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def household(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Household]:
    folder = tmp_path_factory.mktemp("household")
    wake, asr, front, figures, page = free_ports(5)
    settings = {
        "data_dir": str(folder),
        "hardware": "pc",
        "discovery": {"zeroconf": False},
        "wake": {"uri": f"tcp://127.0.0.1:{wake}", "providers": {"openwakeword": {"enabled": False}}}
        | {"default_provider": "microwakeword", "verify": "off"},
        "asr": {"uri": f"tcp://127.0.0.1:{asr}", "fallback_providers": []},
        "mic": {"enabled": False},
        "front": {"uri": f"tcp://127.0.0.1:{front}"},
        "metrics": {"port": figures},
        "web": {"port": page},
    }
    file = folder / "my.yaml"
    file.write_text(yaml.safe_dump(settings))
    command = (sys.executable, "-m", "irene_wyoming", "run", "--config", str(file))
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, env=os.environ, stderr=log)
    try:
        await until(lambda: "front: ready" in (folder / "log").read_text())
        ears = Address("127.0.0.1", wake), Address("127.0.0.1", asr)
        yield Household(f"http://127.0.0.1:{page}/", *ears, folder / "changes.yaml", f"http://127.0.0.1:{figures}/")
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_a_word_and_a_command_arrive_live(household: Household, chromium: Browser, size: dict[str, int]) -> None:
    async with tab(chromium, household.url, viewport=size) as opened:
        before = await opened.locator("#commands li.good").count()
        words, _ = await detect(household.wake, read_wav(WORD), ["okay_nabu"])
        assert [word.name for word in words] == ["okay_nabu"]
        word = opened.locator("#words li").first
        await expect(word).to_contain_text("okay_nabu heard in 127.0.0.1")
        await transcribe(household.asr, read_wav(SPOKEN))
        await expect(opened.locator("#commands li.good")).to_have_count(before + 1)
        await expect(opened.locator("#commands li").first).to_contain_text("turn on the kitchen light")
        await expect(opened.locator("#servers tr.good")).to_have_count(2)
        await shot(opened, f"run-{size['width']}")


async def test_a_slider_changes_how_the_next_word_is_heard_and_is_taken_back(
    household: Household, chromium: Browser
) -> None:
    async with tab(chromium, household.url) as opened:
        slider = opened.get_by_role("slider", name="Okay Nabu")
        await slider.focus()
        await opened.keyboard.press("End")
        note = opened.locator("#tuning-note")
        await expect(note).to_contain_text("holds from now on")
        assert yaml.safe_load(household.changes.read_text()) == {"wake": {"models": {"okay_nabu": {"threshold": 0.99}}}}
        word = read_wav(SPEECH_DIR / "wake" / "okay_nabu_kal16.wav")
        heard_before, _ = await detect(household.wake, word, ["okay_nabu"])
        await opened.get_by_role("button", name="Take the last change back").click()
        await expect(note).to_have_text("Taken back.")
        assert not household.changes.exists()
        heard_after, _ = await detect(household.wake, word, ["okay_nabu"])
        assert (len(heard_before), len(heard_after)) == (0, 1)


async def looked_at(address: Address, word: Recording) -> bool:
    """Whether a server has a recogniser look at a word that it hears in a recording."""
    quiet = Recording(word.format, bytes(4 * word.format.rate * word.format.frame_bytes))
    async with AsyncClient.from_uri(address.uri) as client:
        await client.write_event(Detect(names=["okay_nabu"]).event())
        await client.write_event(audio_start(word).event())
        for chunk in (*chunks(quiet, 4_000), *chunks(word, 80, 4_000)):  # at once: a recording, whose looks may wait
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        told = await read(client)
    assert Detection.is_type(told.type)
    return "llr" in told.data["context"]


async def test_a_second_look_is_switched_on_for_one_word_without_a_restart(
    household: Household, chromium: Browser
) -> None:
    word = read_wav(WORD)
    async with tab(chromium, household.url) as opened:
        assert not await looked_at(household.wake, word)
        await opened.get_by_text("More", exact=True).click()
        await opened.get_by_role("slider", name="A recogniser decides, too").fill("2")
        await expect(opened.locator("#tuning-note")).to_contain_text("holds from now on")
        assert yaml.safe_load(household.changes.read_text()) == {"wake": {"models": {"okay_nabu": {"verify": "on"}}}}
        assert await looked_at(household.wake, word)
        await opened.get_by_role("button", name="Take the last change back").click()
        await expect(opened.locator("#tuning-note")).to_have_text("Taken back.")
        assert not await looked_at(household.wake, word)


async def test_a_word_is_recorded_listened_to_and_labelled(household: Household, chromium: Browser) -> None:
    async with tab(chromium, household.url) as opened:
        box = opened.get_by_label("Record Okay Nabu")
        await box.check()
        await opened.get_by_role("button", name="Show recordings").click()
        await until(lambda: household.changes.is_file())
        assert yaml.safe_load(household.changes.read_text()) == {
            "wake": {"recordings": {"enabled": True, "words": ["okay_nabu"]}}
        }
        await detect(household.wake, read_wav(WORD), ["okay_nabu"])
        row = opened.locator("#recordings-list > li").first
        await expect(row).to_contain_text("okay_nabu reached its threshold")
        seconds = await row.locator("audio").evaluate(
            "a => new Promise((yes, no) => { a.onloadedmetadata = () => yes(a.duration); a.onerror = no; a.load(); })"
        )
        assert 0.5 < seconds <= 3
        await row.get_by_role("button", name="The word").click()
        folder = household.changes.parent / "wake" / "recordings" / "labelled" / "okay_nabu"
        await until(lambda: folder.is_dir() and len(list(folder.iterdir())) == 2)
        await box.uncheck()
        await expect(opened.get_by_role("button", name="Take the last change back")).to_be_visible()
        await until(lambda: "enabled: false" in household.changes.read_text())
        before = len(list(folder.parent.parent.glob("*.wav")))
        await detect(household.wake, read_wav(WORD), ["okay_nabu"])
        assert len(list(folder.parent.parent.glob("*.wav"))) == before
        for _ in range(2):
            await opened.get_by_role("button", name="Take the last change back").click()
            await expect(opened.locator("#tuning-note")).to_have_text("Taken back.")
        await until(lambda: not household.changes.exists())


async def test_hostile_clients_cost_no_word_and_no_health_check(household: Household, chromium: Browser) -> None:
    port = int(household.url.rstrip("/").rpartition(":")[2])
    word = read_wav(WORD)
    async with tab(chromium, household.url) as opened, hostile(Address("127.0.0.1", port)) as at_work:
        await expect(opened.locator("#connection")).to_have_text("live")
        before = await opened.locator("#words li.good").count()
        for number in range(1, 4):
            words, _ = await detect(household.wake, word, ["okay_nabu"])
            assert [each.name for each in words] == ["okay_nabu"]
            for url in (household.url, household.figures):
                async with ClientSession() as session, session.get(f"{url}healthz") as answer:
                    assert (answer.status, await answer.text()) == (200, "ok\n")
            await expect(opened.locator("#words li.good")).to_have_count(before + number)
        await until(lambda: at_work.opened >= SOCKETS)
        async with ClientSession() as session, session.get(f"{household.url}healthz") as answer:
            assert answer.status == 200
        await expect(opened.locator("#connection")).to_have_text("live")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_a_command_is_spoken_into_the_browser(
    household: Household, chromium: Browser, size: dict[str, int]
) -> None:
    async with tab(chromium, household.url, viewport=size, permissions=["microphone"]) as opened:
        await opened.get_by_role("button", name="Speak").click()
        await expect(opened.locator("#tried")).to_contain_text("Listening: speak now.")
        await expect(opened.locator("#tried")).to_contain_text("3 s")  # the recording has 2.6 s
        await opened.get_by_role("button", name="That was it").click()
        await expect(opened.locator("#tried")).to_contain_text("turn on the kitchen light")
        await shot(opened, f"spoken-{size['width']}")


async def test_a_recording_is_tried(household: Household, chromium: Browser) -> None:
    async with tab(chromium, household.url) as opened:
        await opened.get_by_label("a wake word").check()
        await opened.set_input_files("#file", WORD)
        await expect(opened.locator("#tried")).to_contain_text("okay_nabu (")
        await opened.set_input_files("#file", SPEECH_DIR / "wake" / "alexa_slt.wav")
        await expect(opened.locator("#tried")).to_contain_text("alexa was heard")
        await opened.get_by_label("a command").check()
        quiet = household.changes.parent / "quiet.wav"
        await asyncio.to_thread(quiet.write_bytes, wav(bytes(32_000), SPEECH))
        await opened.set_input_files("#file", quiet)
        tried = opened.locator("#tried")
        await expect(tried).to_contain_text("Nothing was understood. audio: digital silence")
        await expect(tried).to_contain_text("What to do: unmute the microphone")
        await opened.set_input_files("#file", household.changes.parent / "my.yaml")
        await expect(opened.locator("#tried")).to_contain_text("holds no audio")


async def test_only_the_newest_of_two_recordings_is_answered(household: Household, chromium: Browser) -> None:
    async with tab(chromium, household.url) as opened:
        await opened.get_by_label("a wake word").check()
        answers = "new MutationObserver(() => said.push(tried.textContent)).observe(tried, {childList: true})"
        await opened.evaluate(f"window.said = []; {answers}")
        await opened.set_input_files("#file", SPEECH_DIR / "wake" / "alexa_slt.wav")
        await opened.wait_for_function("said.some((each) => each.startsWith('Understanding'))")
        await opened.set_input_files("#file", WORD)
        await expect(opened.locator("#tried")).to_contain_text("okay_nabu (")
        await opened.get_by_role("button", name="Look at everything").click()  # asked later, so answered later, too
        await expect(opened.locator("#diagnosis")).to_contain_text("First: ")
        await expect(opened.locator("#tried")).to_contain_text("okay_nabu (")


async def test_the_doctor_looks_at_everything(household: Household, chromium: Browser) -> None:
    async with tab(chromium, household.url) as opened:
        await opened.get_by_role("button", name="Look at everything").click()
        await expect(opened.locator("#links")).to_contain_text("wake server good")
        await expect(opened.locator("#links")).to_contain_text("interface doubtful: only this machine reaches")
        await expect(opened.locator("#diagnosis")).to_contain_text("First: ")
