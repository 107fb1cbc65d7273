"""Models fetched from the page."""

import asyncio
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from irene_wyoming.app.page_command import Command, command
from irene_wyoming.app.page_models import Fetching, progress
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ConfigError, UnknownModel, UnsupportedRequest
from tests.conftest import until
from tests.models.host import Host, serving
from tests.models.test_install import NAME, WHOLE


def from_host(host: Host, sha256: str, data_dir: Path) -> Command:
    """The page's command for a fetch, from another host."""
    address = (f"{host.uri}/model.zip", "--engine", "vosk", "--sha256", sha256, "--data-dir", str(data_dir))
    return lambda words: (*command(None)(words[:-1]), *address, "--name", words[-1])


async def fetched(fetching: Fetching) -> dict[str, object]:
    await fetching.begin(NAME)
    with pytest.raises(UnsupportedRequest, match="is being fetched"):
        await fetching.begin(NAME)
    await until(lambda: bool(fetching.state()[NAME]["done"]))
    return dict(fetching.state()[NAME])


async def test_a_model_is_fetched_and_one_that_is_another_is_told(
    configured: Callable[..., Config], tmp_path: Path
) -> None:
    config = configured(DATA_DIR=str(tmp_path))
    with serving(Host({"/model.zip": WHOLE})) as host:
        wrong = Fetching(config, from_host(host, "0" * 64, tmp_path))
        assert (await fetched(wrong))["trouble"]
        right = Fetching(config, from_host(host, hashlib.sha256(WHOLE).hexdigest(), tmp_path))
        assert await fetched(right) == {"share": 1.0, "text": "is here", "done": True, "trouble": ""}
    listed = await asyncio.to_thread(right.models)
    assert [model["here"] for model in listed if model["name"] == NAME] == [True]


async def test_what_cannot_be_fetched_is_told_at_once(configured: Callable[..., Config], tmp_path: Path) -> None:
    with pytest.raises(UnknownModel):
        await Fetching(configured(DATA_DIR=str(tmp_path)), command(None)).begin("nonsense")
    with pytest.raises(ConfigError, match="data_dir"):
        await Fetching(configured(), command(None)).begin(NAME)


async def test_what_is_being_fetched_ends_with_the_page(configured: Callable[..., Config], tmp_path: Path) -> None:
    slow = (sys.executable, "-c", "import time; time.sleep(60)")
    fetching = Fetching(configured(DATA_DIR=str(tmp_path)), lambda _: slow)
    await fetching.begin(NAME)
    await fetching.close()
    assert not fetching.state()[NAME]["done"]


@pytest.mark.parametrize(
    ("line", "share"), [("12 MB of 40", 0.3), ("50 MB of 40", 1.0), ("120 MB", None), ("something else", "none")]
)
def test_how_far_it_is(line: str, share: object) -> None:
    assert progress(line).get("share", "none") == share
