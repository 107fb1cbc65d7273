"""The page in a real browser, with made-up servers behind it."""

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from irene_wyoming.web.guard import Guard
from tests.web.browser import (
    DESKTOP,
    PHONE,
    MadeUp,
    example,
    ingress,
    needs_chromium,
    serious,
    served,
    shot,
    tab,
)
from tests.web.conftest import SPOKEN

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("quick")]

EVIL = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_is_shown_to_everybody(chromium: Browser, size: dict[str, int], scheme: Any) -> None:
    options = {"viewport": size, "color_scheme": scheme, "bypass_csp": True}  # axe is not a part of the page
    async with served(example()) as url, tab(chromium, url, **options) as opened:
        await expect(opened.locator("#words li").first).to_contain_text("okay_nabu heard in kitchen")
        await expect(opened.locator("#words li").nth(1)).to_contain_text("nearly heard in attic")
        await expect(opened.locator("#commands li").first).to_contain_text("turn on the AC/DC lamp")
        await expect(opened.locator("#commands li").nth(1)).to_contain_text("too soft")
        await expect(opened.locator("#commands li").nth(1)).to_contain_text("nearest: close the shade (44 %)")
        await expect(opened.locator("#satellites")).to_contain_text("Digital silence: the microphone is muted")
        await expect(opened.locator("#servers tr.bad")).to_contain_text("mic")
        await expect(opened.locator("#engines")).to_contain_text("2 commands at hand")
        await expect(opened.locator("#engines")).to_contain_text("Has failed of late, or is being loaded")
        await expect(opened.locator("#names-summary")).to_contain_text("41 entities")
        await expect(opened.locator("#warnings")).to_contain_text("plug one in")
        assert await opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert await serious(opened) == []
        await shot(opened, f"page-{size['width']}-{scheme}")


async def test_what_happens_appears_by_itself(chromium: Browser) -> None:
    servers = MadeUp()
    async with served(servers) as url, tab(chromium, url) as opened:
        await expect(opened.locator("#words")).to_contain_text("No wake word yet")
        await expect(opened.locator("#satellites")).to_contain_text("No satellite is connected")
        servers.shown |= {"words": example().shown["words"], "satellites": example().shown["satellites"]}
        await expect(opened.locator("#words li")).to_have_count(4)
        await expect(opened.locator("#satellites article")).to_have_count(2)
        servers.shown["satellites"] = []
        await expect(opened.locator("#satellites")).to_contain_text("No satellite is connected")


async def test_a_server_that_is_not_running_is_seen_at_the_top(chromium: Browser) -> None:
    servers = MadeUp()
    async with served(servers) as url, tab(chromium, url, viewport=PHONE) as opened:
        await expect(opened.locator("#connection")).to_have_text("live")
        servers.shown["servers"] = [{**each, "up": False} for each in example().shown["servers"]]
        await expect(opened.locator("#connection")).to_have_text("not running: wake, asr, mic")
        await expect(opened.locator("#satellites")).to_contain_text("The wake word server is not running")
        servers.shown["servers"] = [{**each, "up": True} for each in servers.shown["servers"]]
        await expect(opened.locator("#connection")).to_have_text("live")
        await expect(opened.locator("#satellites")).to_contain_text("No satellite is connected")


async def test_forty_satellites_leave_room_for_what_is_heard(chromium: Browser) -> None:
    servers = example()
    one = servers.shown["satellites"][0]
    servers.shown["satellites"] = [{**one, "id": f"wake-{number}", "caller": "غرفة المعيشة"} for number in range(40)]
    async with served(servers) as url, tab(chromium, url, viewport=PHONE, bypass_csp=True) as opened:
        await expect(opened.locator("#satellites article")).to_have_count(40)
        box = await opened.locator("#heard").bounding_box()
        assert box is not None
        assert box["y"] < 2 * PHONE["height"]
        assert await serious(opened) == []


async def test_names_and_transcripts_are_text_and_nothing_else(chromium: Browser) -> None:
    servers = example()
    servers.shown["commands"] = [{**servers.shown["commands"][0], "text": EVIL}]
    servers.shown["satellites"] = [{**servers.shown["satellites"][0], "caller": EVIL}]
    servers.shown["warnings"] = [{**servers.shown["warnings"][0], "text": EVIL}]
    servers.answer = {"names": [{"written": EVIL, "kind": EVIL, "said": [EVIL], "why": ""}], "of": 1}
    async with served(servers) as url, tab(chromium, url) as opened:
        await expect(opened.locator("#commands strong")).to_have_text(EVIL)
        await opened.get_by_role("button", name="Show how they are said").click()
        await expect(opened.locator("#names-table tbody th")).to_have_text(EVIL)
        assert await opened.title() == "Irene"
        assert await opened.locator("main img").count() == 0


async def test_a_threshold_is_moved_by_the_keyboard_and_taken_back(chromium: Browser) -> None:
    servers = example()
    async with served(servers) as url, tab(chromium, url) as opened:
        slider = opened.get_by_role("slider", name="Okay Nabu is heard from")
        await slider.focus()
        await opened.keyboard.press("ArrowRight")
        await expect(opened.locator("#tuning-note")).to_contain_text("It holds from now on")
        asked = servers.asked[-1]
        assert [asked[name] for name in ("do", "word", "setting", "value")] == ["tune", "okay_nabu", "threshold", 0.51]
        servers.shown["tuning"] |= {"words": {"okay_nabu": {"threshold": 0.51}}, "can_undo": True}
        await opened.get_by_role("button", name="Take the last change back").click()
        await expect(opened.locator("#tuning-note")).to_have_text("Taken back.")
        assert servers.asked[-1]["do"] == "undo"
        servers.answer = {"error": "the change cannot be kept in /data: No space left on device"}
        await opened.get_by_role("button", name="As configured").click()
        await expect(opened.locator("#tuning-note")).to_contain_text("No space left")


async def test_a_word_is_tuned_for_one_satellite_in_more_than_its_threshold(chromium: Browser) -> None:
    servers = example()
    async with served(servers) as url, tab(chromium, url) as opened:
        await opened.get_by_label("For", exact=True).select_option("attic")
        await expect(opened.locator("#sliders")).to_contain_text("0 heard and 1 nearly heard")
        await opened.get_by_text("More", exact=True).click()
        await opened.get_by_role("slider", name="It must score so for").fill("3")
        await opened.get_by_label("Softest that counts").fill("-45")
        await opened.keyboard.press("Tab")
        look = opened.get_by_role("slider", name="A recogniser decides, too")
        await expect(look).to_have_attribute("aria-valuetext", "looked at twice if its spelling is known")
        await look.fill("2")
        await expect(opened.locator("#tuning-note")).to_contain_text("It holds from now on")
        asked = [(each["satellite"], each["setting"], each["value"]) for each in servers.asked]
        assert asked == [("attic", "trigger_level", 3), ("attic", "min_level_dbfs", -45), ("attic", "verify", "on")]
        for name, dots in (("threshold", 1), ("level", 1), ("look", 1)):
            drawn = opened.locator(f".slider:has(#{name}-okay_nabu) .dots span")
            await expect(drawn).to_have_count(dots)


async def test_who_answers_is_chosen_by_how_much_later_other_satellites_hear(chromium: Browser) -> None:
    servers = example()
    async with served(servers) as url, tab(chromium, url) as opened:
        window = opened.get_by_role("slider", name="Wait for other satellites")
        await expect(window).to_have_attribute("aria-valuetext", "not at all: all answer")
        await expect(opened.locator("#arbitration .dots span")).to_have_count(3)
        await window.fill("150")
        await expect(opened.locator("#tuning-note")).to_contain_text("It holds from now on")
        servers.shown["tuning"] |= {"arbitration": {"window_ms": 150, "always": False}}
        await opened.get_by_label("only one satellite has heard").check()
        await expect(opened.locator("#arbitration .dots span.good")).to_have_count(3)
        asked = [(each["do"], each["setting"], each["value"]) for each in servers.asked]
        assert asked == [("arbitrate", "window_ms", 150), ("arbitrate", "always", True)]
        await opened.get_by_label("For", exact=True).select_option("attic")
        await expect(window).to_be_hidden()


async def test_a_model_is_fetched_and_followed(chromium: Browser) -> None:
    servers = example()
    servers.shown["fetching"] = {}
    model = {"engine": "vosk", "name": "small", "languages": ["en"], "licence": "Apache-2.0", "mb": 40, "here": False}
    servers.answer = {"models": [model]}
    async with served(servers) as url, tab(chromium, url) as opened:
        await opened.get_by_role("button", name="Show models").click()
        await opened.get_by_role("button", name="Fetch small").click()
        await expect(opened.locator("#models-note")).to_have_text("small is being fetched.")
        assert [servers.asked[-1]["do"], servers.asked[-1]["name"]] == ["fetch", "small"]
        told = {"share": 0.5, "text": "20 MB of 40", "done": False, "trouble": ""}
        servers.shown["fetching"] = {"small": told}
        await expect(opened.locator("#models")).to_contain_text("20 MB of 40")
        servers.shown["fetching"] = {"small": told | {"done": True, "trouble": "no space left"}}
        await expect(opened.locator("#models .bad")).to_have_text("no space left")
        await expect(opened.get_by_role("button", name="Fetch small")).to_be_enabled()


async def test_the_doctor_says_what_to_do_first(chromium: Browser) -> None:
    servers = example()
    first = {"name": "mic server", "level": "error", "text": "nobody answers", "cure": "start it"}
    servers.answer = {
        "links": [{"name": "disk", "level": "ok", "text": "3 GB left", "cure": ""}, first],
        "first": first,
    }
    async with served(servers) as url, tab(chromium, url) as opened:
        await opened.get_by_role("button", name="Look at everything").click()
        await expect(opened.locator("#diagnosis")).to_have_text(
            "First: mic server: nobody answers. What to do: start it."
        )
        await expect(opened.locator("#links li")).to_have_count(2)
        await shot(opened, "doctor")


async def test_a_read_only_page_changes_nothing(chromium: Browser) -> None:
    servers = example()
    servers.shown["about"] = servers.shown["about"] | {"read_only": True}
    async with served(servers) as url, tab(chromium, url) as opened:
        for slider in await opened.get_by_role("slider").all():
            await expect(slider).to_be_disabled()
        await expect(opened.get_by_label("Record Okay Nabu")).to_be_disabled()
        await expect(opened.locator("#tuning-note")).to_contain_text("read-only")
        await expect(opened.get_by_role("button", name="Take the last change back")).to_be_hidden()


async def test_nothing_is_looked_at_when_no_page_is_open(chromium: Browser) -> None:
    servers = example()
    async with served(servers) as url:
        assert servers.looked == 0
        async with tab(chromium, url) as opened:
            await expect(opened.locator("#connection")).to_have_text("not running: mic")
            assert servers.lookers == 1
        async with tab(chromium, f"{url}healthz"):
            pass
        looked = servers.looked
        async with tab(chromium, f"{url}healthz"):
            assert servers.lookers == 0
            assert servers.looked == looked


async def test_behind_ingress_all_works_under_its_path(chromium: Browser) -> None:
    servers = example()
    servers.shown["fetching"] = {}
    guard = Guard(ingress="127.0.0.1", token="a token that ingress needs not show")
    async with served(servers, guard) as target, ingress(target) as url, tab(chromium, "about:blank") as opened:
        asked: list[tuple[str, int]] = []
        opened.on("response", lambda answer: asked.append((answer.url, answer.status)))
        opened.on("websocket", lambda socket: asked.append((socket.url.replace("ws:", "http:"), 101)))
        await opened.goto(url)
        await expect(opened.locator("#words li").first).to_contain_text("okay_nabu")
        servers.answer = {"names": [{"written": "Lamp", "kind": "light", "said": ["lamp"], "why": ""}], "of": 1}
        await opened.get_by_role("button", name="Show how they are said").click()
        await expect(opened.locator("#names-table")).to_contain_text("Lamp")
        model = {"engine": "vosk", "name": "small", "languages": [], "licence": "MIT", "mb": 40, "here": False}
        servers.answer = {"models": [model]}
        await opened.get_by_role("button", name="Show models").click()
        await opened.get_by_role("button", name="Fetch small").click()
        servers.shown["fetching"] = {"small": {"share": 0.5, "text": "20 MB of 40", "done": False, "trouble": ""}}
        await expect(opened.locator("#models")).to_contain_text("20 MB of 40")
        await opened.set_input_files("#file", SPOKEN)
        await expect(opened.locator("#tried")).to_contain_text("turn on the light")
        assert sum(map(len, servers.tried)) > 50_000
        await opened.context.grant_permissions(["microphone"])
        await opened.get_by_role("button", name="Speak").click()
        await expect(opened.locator("#tried")).to_contain_text("1 s")
        links = (
            "[...document.querySelectorAll('[href], [src]')].map((each) => each.href?.baseVal ?? each.href ?? each.src)"
        )
        for link in await opened.evaluate(links):
            assert str(link).startswith(url), link
        assert {where for where, _ in asked if not where.startswith(url)} == set()
        assert {status for _, status in asked} <= {101, 200}
        assert await opened.evaluate("getComputedStyle(document.body).margin") == "0px"


async def test_a_token_opens_the_page_once(chromium: Browser) -> None:
    async with served(example(), Guard(token="0123456789abcdef")) as url, tab(chromium, url) as opened:
        await shot(opened, "login")
        await opened.get_by_label("Token").fill("0123456789abcdeX")
        await opened.get_by_role("button", name="Open the page").click()
        await expect(opened.get_by_label("Token")).to_be_visible()
        await opened.get_by_label("Token").fill("0123456789abcdef")
        await opened.get_by_role("button", name="Open the page").click()
        await expect(opened.locator("#connection")).to_have_text("not running: mic")
        await opened.reload()
        await expect(opened.locator("#connection")).to_have_text("not running: mic")
