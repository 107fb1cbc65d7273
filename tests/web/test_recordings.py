"""Recordings on the page: switched on, played, labelled, and words tuned and learned from them."""

import asyncio
import io
import wave
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from irene_wyoming.web.guard import Guard
from tests.web.browser import MadeUp, example, ingress, needs_chromium, serious, served, shot, sized, tab

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("quick")]

NAMES = [f"20260102T0304{second:02}.000000Z-activation-okay_nabu.wav" for second in range(3)]


def wav() -> bytes:
    """A wav file with half a second of quiet."""
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(16_000)
        audio.writeframes(bytes(16_000))
    return file.getvalue()


def recorded(name: str, label: str = "") -> dict[str, Any]:
    time, _, word = name.removesuffix(".wav").split("-")
    facts = {"score": 0.93, "level_dbfs": -31.0, "snr_db": 20.0, "seconds": 3.0}
    return {"name": name, "time": time, "kind": "activation", "word": word, "label": label, **facts}


def household() -> MadeUp:
    """A household with three recordings, one of which is labelled."""
    servers = example()
    servers.files = dict.fromkeys(NAMES, wav())
    listed = [recorded(NAMES[0]), recorded(NAMES[1]), recorded(NAMES[2], "negative")]
    servers.answer = {"recordings": listed, "of": 3, "labels": {"negative": 1, "okay_nabu": 6}}
    return servers


async def test_recording_is_switched_on_for_a_word(chromium: Browser) -> None:
    servers = household()
    async with served(servers) as url, tab(chromium, url) as opened:
        box = opened.get_by_label("Record Okay Nabu")
        await expect(box).not_to_be_checked()
        await expect(opened.locator("#recording-folder")).to_contain_text("everybody in the room should know")
        await box.check()
        servers.shown["tuning"] |= {"recording": {"on": True, "words": ["okay_nabu"], "folder": "/data"}}
        await expect(box).to_be_checked()
        assert [servers.asked[-1][key] for key in ("do", "word", "on")] == ["record", "okay_nabu", True]
        servers.shown["tuning"] |= {"recording": {"on": True, "words": None, "folder": "/data"}}
        await expect(opened.locator("#recording-folder")).to_contain_text("Every word is recorded")
        await expect(box).to_be_disabled()


async def asked_for(servers: MadeUp, what: str) -> Mapping[str, Any]:
    """Wait for the first request of this kind."""
    async with asyncio.timeout(60):
        while not (found := [asked for asked in servers.asked if asked["do"] == what]):  # noqa: ASYNC110  # a plain list
            await asyncio.sleep(0.02)
    return found[0]


@pytest.mark.parametrize("width", [390, 1280])
async def test_recordings_are_listened_to_and_labelled(chromium: Browser, width: int) -> None:
    servers = household()
    async with served(servers) as url, tab(chromium, url, viewport=sized(width), bypass_csp=True) as opened:
        await opened.get_by_role("button", name="Show recordings").click()
        rows = opened.locator("#recordings-list > li")
        await expect(rows).to_have_count(2)
        await expect(rows.first).to_contain_text("okay_nabu reached its threshold")
        await rows.first.get_by_role("button", name="The word").click()
        labelled = await asked_for(servers, "label")
        assert [labelled[key] for key in ("name", "label")] == [NAMES[0], "okay_nabu"]
        await opened.get_by_label("Which", exact=True).select_option("all")
        await expect(rows).to_have_count(3)
        await expect(rows.last).to_contain_text("no wake word:")
        await expect(opened.locator("#labels")).to_contain_text("6 labelled as the word, 1 as no wake word.")
        assert await opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert await serious(opened) == []
        await shot(opened, f"recordings-{width}")


async def test_a_recording_is_played_behind_ingress_and_by_no_other_page(chromium: Browser) -> None:
    servers = household()
    guard = Guard(ingress="127.0.0.1", token="a token that ingress needs not show")
    async with served(servers, guard) as target, ingress(target) as url, tab(chromium, url) as opened:
        await opened.get_by_role("button", name="Show recordings").click()
        audio = opened.locator("#recordings-list audio").first
        played = await audio.evaluate(
            "a => new Promise((yes, no) => { a.onloadedmetadata = () => yes(a.duration);"
            " a.onerror = () => no(a.error.message); a.load(); a.preload = 'auto'; })"
        )
        assert played == pytest.approx(0.5)


async def test_a_recording_wants_the_token() -> None:
    async with (
        served(household(), Guard(token="0123456789abcdef")) as url,
        ClientSession() as session,
        session.get(f"{url}recordings/{NAMES[0]}") as answer,
    ):
        assert answer.status == 401


async def test_what_is_served_is_a_wav_file_that_nobody_keeps() -> None:
    servers = household()
    async with served(servers) as url, ClientSession() as session:
        async with session.get(f"{url}recordings/{NAMES[0]}") as answer:
            assert (answer.status, await answer.read()) == (200, wav())
            assert answer.headers["Content-Type"] == "audio/wav"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "media-src 'self'" in answer.headers["Content-Security-Policy"]
        async with session.get(f"{url}recordings/{NAMES[0]}", headers={"Origin": "http://evil.example"}) as answer:
            assert answer.status == 403
        async with session.get(f"{url}recordings/nothing.wav") as answer:
            assert answer.status == 404


async def test_a_word_is_tuned_from_its_recordings_and_the_result_is_used(chromium: Browser) -> None:
    servers = household()
    async with served(servers) as url, tab(chromium, url) as opened:
        await opened.get_by_role("button", name="Show recordings").click()
        await opened.get_by_role("button", name="Find its best settings").click()
        job: dict[str, Any] = {"what": "tune", "word": "okay_nabu", "text": "okay_nabu: heard 3 of 7 recordings"}
        job |= {"share": 0.43, "done": False, "trouble": "", "result": None}
        servers.shown["job"] = job
        await expect(opened.locator("#job-text")).to_have_text("okay_nabu: heard 3 of 7 recordings")
        await opened.get_by_role("button", name="Stop").click()
        best = {"threshold": 0.8, "trigger_level": 2, "recall": 0.9, "false_accepts": 0}
        result = {"word": "okay_nabu", "positives": 6, "best": best, "missed": ["a.wav"], "enough": True}
        servers.shown["job"] = job | {"done": True, "result": [result]}
        await expect(opened.locator("#job-result")).to_contain_text("best heard from 80 %, for 2 steps in a row")
        await shot(opened, "tuned")
        await opened.get_by_role("button", name="Use it").click()
        await expect(opened.locator("#recordings-note")).to_be_hidden()
        assert [each["do"] for each in servers.asked] == ["recordings", "tune-wake", "stop", "use"]
        assert [servers.asked[-1][key] for key in ("word", "threshold", "trigger_level")] == ["okay_nabu", 0.8, 2]
        servers.shown["job"] = job | {"done": True, "result": [result | {"enough": False}]}
        await expect(opened.locator("#job-result")).to_contain_text("too few recordings")


async def test_a_word_is_learned_under_a_name_of_its_own(chromium: Browser) -> None:
    servers = household()
    async with served(servers) as url, tab(chromium, url) as opened:
        await opened.get_by_role("button", name="Show recordings").click()
        await opened.get_by_label("A word of your own, called").fill("our_nabu")
        await opened.get_by_role("button", name="Learn it").click()
        done = {"examples": 6, "held_out": 2, "heard": 1.0, "hours": 0.1, "false_accepts": 0, "word": "our_nabu"}
        job = {"what": "learn", "word": "our_nabu", "text": "", "share": 1, "done": True, "trouble": "", "result": done}
        servers.shown["job"] = job
        await expect(opened.locator("#job-result")).to_contain_text("our_nabu is learned")
        asked = [servers.asked[-1][key] for key in ("do", "word", "name", "phrase")]
        assert asked == ["learn-wake", "okay_nabu", "our_nabu", "Okay Nabu"]
        servers.shown["job"] = job | {"trouble": "a.wav: nothing to hear in it", "result": None}
        await expect(opened.locator("#job-result .bad")).to_have_text("a.wav: nothing to hear in it")


async def test_a_read_only_page_labels_nothing(chromium: Browser) -> None:
    servers = household()
    servers.shown["about"] = servers.shown["about"] | {"read_only": True}
    async with served(servers) as url, tab(chromium, url) as opened:
        await opened.get_by_role("button", name="Show recordings").click()
        await expect(opened.locator("#recordings-list audio").first).to_be_visible()
        await expect(opened.locator("#recordings-list button").first).to_be_hidden()
        await expect(opened.get_by_role("button", name="Learn it")).to_be_hidden()
