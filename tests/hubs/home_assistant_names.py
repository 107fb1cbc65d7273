"""Runs Home Assistant itself with a few names, by a Python that has it, for ``test_home_names.py`` only.

It prints its token when it can be reached. Then each line of its standard input is a command, ``rename ENTITY NAME``.
It ends with its input, and imports nothing of irene_wyoming.
"""
# mypy: disable-error-code="import-not-found"
# Home Assistant is not installed where this project is checked.

import argparse
import asyncio
import json
import sys
from datetime import timedelta

from homeassistant import auth, bootstrap, loader
from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.auth.models import TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.config_entries import ConfigEntries
from homeassistant.const import __version__ as home_assistant_version
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import area_registry, entity_registry
from homeassistant.setup import async_setup_component

LAMP = "input_boolean.lamp"


async def started(config_dir: str, port: int, install: bool) -> HomeAssistant:
    """Start a Home Assistant with a web server, an area and two things, one of which is exposed to assistants."""
    hass = HomeAssistant(config_dir)  # the steps of its bootstrap, without the default integrations
    hass.config.skip_pip = not install
    loader.async_setup(hass)
    hass.config_entries = ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth.auth_manager_from_config(hass, [{"type": "homeassistant"}], [])
    things = {"input_boolean": {"lamp": {"name": "AC/DC Lamp"}, "secret": {"name": "Secret"}}}
    http = {"http": {"server_host": "127.0.0.1", "server_port": port}}
    for component in (
        "homeassistant",
        "http",
        "api",
        "auth",
        "websocket_api",
        "config",
        "conversation",
        "input_boolean",
    ):
        if not await async_setup_component(hass, component, {**http, **things}):
            raise SystemExit(f"Home Assistant's {component} does not start")
    hass.set_state(CoreState.running) if hasattr(hass, "set_state") else setattr(hass, "state", CoreState.running)
    await hass.http.start()
    return hass


async def furnished(hass: HomeAssistant) -> None:
    areas, entities = area_registry.async_get(hass), entity_registry.async_get(hass)
    kitchen = areas.async_get_area_by_name("Kitchen") or areas.async_create("Kitchen", aliases={"cookery"})
    entities.async_update_entity(LAMP, area_id=kitchen.id, aliases={"big light"})
    async_expose_entity(hass, "conversation", LAMP, True)
    async_expose_entity(hass, "conversation", "input_boolean.secret", False)


async def token(hass: HomeAssistant) -> str:
    """Make a long-lived access token of an administrator."""
    user = await hass.auth.async_create_user("irene", group_ids=[GROUP_ID_ADMIN])
    refresh = await hass.auth.async_create_refresh_token(
        user,
        client_name=f"irene {len(user.refresh_tokens)}",
        token_type=TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN,
        access_token_expiration=timedelta(days=1),
    )
    return str(hass.auth.async_create_access_token(refresh))


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config_dir")
    parser.add_argument("port", type=int)
    parser.add_argument("--install", action="store_true", help="let Home Assistant install what its parts need")
    options = parser.parse_args()
    hass = await started(options.config_dir, options.port, options.install)
    await furnished(hass)
    print(json.dumps({"version": home_assistant_version, "token": await token(hass)}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        what, entity_id, name = line.rstrip("\n").split(" ", 2)
        assert what == "rename"
        entity_registry.async_get(hass).async_update_entity(entity_id, name=name)
        await hass.async_block_till_done()
        print("done", flush=True)
    await hass.async_stop(force=True)


if __name__ == "__main__":
    asyncio.run(main())
