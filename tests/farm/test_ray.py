"""A farm of two replicas on Ray Serve, asked by the provider remote. Opt-in: it takes 1 GB and half a minute."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from irene_wyoming.engines.base import AsrEngine
from tests.engines.asr.conftest import MakeRemote, created
from tests.engines.asr.conftest import make_remote as make_remote
from tests.engines.asr.elsewhere import LIGHT, TIMER, ElsewhereContract, heard
from tests.engines.asr.remote.test_pool import nobody
from tests.farm.cluster import farm

pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = [
    pytest.mark.skipif(
        "IRENE_WYOMING_TEST_RAY" not in os.environ,
        reason="a Ray cluster takes 1 GB and half a minute: IRENE_WYOMING_TEST_RAY=1 starts one",
    ),
    pytest.mark.cluster,
]


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    with farm("guided", replicas=2, batch=4, wait_s=0.05) as uri:
        yield uri


class TestContract(ElsewhereContract):
    @pytest.fixture
    def engine(self, make_remote: MakeRemote, uri: str) -> AsrEngine:
        return make_remote(uri=uri, response_timeout_s=60)


def test_many_at_once_are_all_answered(uri: str) -> None:
    engine = created(uri=uri, response_timeout_s=60)
    try:
        with ThreadPoolExecutor(8) as people:
            assert list(people.map(lambda text: heard(engine, text), [LIGHT, TIMER] * 8)) == [LIGHT, TIMER] * 8
    finally:
        engine.close()


def test_it_takes_its_place_beside_other_addresses(make_remote: MakeRemote, uri: str) -> None:
    assert heard(make_remote(uri=[nobody("http"), uri], response_timeout_s=60), LIGHT) == LIGHT


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/audio/transcriptions", b"{}", 400, "file: expected a wav file in a form"),
        ("/audio/translations", b"", 404, "expected /v1/audio/transcriptions"),
    ],
)
def test_what_it_cannot_do_it_says(uri: str, path: str, body: bytes, status: int, words: str) -> None:
    request = urllib.request.Request(uri + path, body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as answer:
        assert answer.status == status
        assert words in json.load(answer)["error"]["message"]
