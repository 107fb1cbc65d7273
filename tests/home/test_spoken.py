"""A name that changes in Home Assistant is understood in the next command."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from irene_wyoming.app.asked import NAMES
from irene_wyoming.app.asr import asr_server
from irene_wyoming.config.model import Config
from irene_wyoming.news import NEWS
from irene_wyoming.wire.hear import Recording, transcribe
from tests.home.hub import TOKEN, Hub, running


async def test_a_renamed_room_is_understood_under_its_new_name_without_a_restart(
    configured: Callable[..., Config], speech: Callable[[str], Recording], tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    spoken = speech("asr/turn_on_the_living_room_light")
    hub = Hub(areas=[{"area_id": "a", "name": "Garage", "aliases": []}])
    hub.add("light.one", "Ceiling")
    async with running(hub):
        config = configured(
            HOME__URL=hub.url,
            HOME__TOKEN_FILE=str(tmp_path / "token"),
            ASR__DEFAULT_PROVIDER="guided",
            ASR__FALLBACK_PROVIDERS="[]",
        )
        async with asr_server(config) as service:
            await until_known("Garage")
            before = await transcribe(service.address, spoken)
            hub.areas[0]["name"] = "Living-Room"
            await hub.tell("area_registry_updated")
            await until_known("Living-Room")
            after = await transcribe(service.address, spoken)
    assert "Living-Room" not in before.text
    assert after.text == "turn on the Living-Room light"


async def until_known(name: str) -> None:
    """Wait until the server knows a name."""
    async with asyncio.timeout(60):
        # No event tells.
        while name not in [each["written"] for each in (await NEWS.doers[NAMES]({"most": 10}))["names"]]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
