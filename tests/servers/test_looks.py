"""A process asks another one for second looks. Real sockets and threads, a recogniser with given answers."""

import asyncio
import gc
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from math import inf
from pathlib import Path

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event

from irene_wyoming.app.looks import NICE, looks_served
from irene_wyoming.app.looks_path import shared_path
from irene_wyoming.config.model import Config
from irene_wyoming.engines.wake.asked import AT_ONCE, MOST_AUDIO, PATH_VARIABLE, AskedRecogniser
from irene_wyoming.engines.wake.proposals import Proposed
from irene_wyoming.engines.wake.recogniser import OwnRecogniser
from irene_wyoming.engines.wake.second import Outcome, SecondLook
from irene_wyoming.engines.wake.spellings import Phrase
from irene_wyoming.errors import EngineFailed, EngineUnavailable
from irene_wyoming.servers.looks import LIMITS, Looks
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.framing import encode
from tests.conftest import until
from tests.engines.wake.scorer import Found, Recogniser

PHRASES = (("word", Phrase(("word", "wort"))),)


@pytest.fixture
def scorer() -> Recogniser:
    return Recogniser(Found(llr=-0.5, open_text="Wörd."))


@pytest.fixture
async def service(scorer: Recogniser, tmp_path: Path) -> AsyncIterator[Service]:
    """Serve looks at a socket."""
    recogniser = OwnRecogniser(lambda: scorer)
    async with Service("looks", Address(path=str(tmp_path / "looks")), LIMITS, Looks(recogniser).serve) as service:
        yield service
        scorer.gate.set()
    await recogniser.close()


@pytest.fixture
def path(service: Service) -> str:
    """The path of the service's socket."""
    return service.address.path


@pytest.fixture
async def second(path: str) -> AsyncIterator[SecondLook]:
    second = SecondLook(AskedRecogniser(path))
    yield second
    await second.close()


def proposed(*, usual: bool = False) -> Proposed:
    return Proposed("word", 0.4, 16_000, usual=usual, audio=bytes(64_000))


async def test_what_the_other_process_finds_decides(second: SecondLook, scorer: Recogniser) -> None:
    verdict = await second.judge(proposed(), PHRASES, live=True)
    assert (verdict.told, verdict.outcome) == (True, Outcome.ACCEPTED)
    assert verdict.look is not None
    assert Found(**{name: getattr(verdict.look, name) for name in Found.__dataclass_fields__}) == scorer.found
    ((samples, phrases),) = scorer.looks
    assert samples > 32_000
    assert phrases == ("word", "wort")
    scorer.found = Found(None, -inf, -inf, -inf, "")
    verdict = await second.judge(proposed(usual=True), PHRASES, live=True)
    assert (verdict.told, verdict.outcome) == (False, Outcome.REFUSED)


async def test_several_at_once_get_their_own_answers_however_many(second: SecondLook, scorer: Recogniser) -> None:
    judged = [second.judge(proposed(), PHRASES, live=False) for _ in range(3 * AT_ONCE)]
    verdicts = await asyncio.gather(*judged)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.ACCEPTED] * 3 * AT_ONCE
    assert len(scorer.looks) == 3 * AT_ONCE


@pytest.mark.parametrize("usual", [True, False])
async def test_without_the_other_process_the_first_stage_decides(
    tmp_path: Path, usual: bool, caplog: pytest.LogCaptureFixture
) -> None:
    second = SecondLook(AskedRecogniser(str(tmp_path / "nobody")))
    verdict = await second.judge(proposed(usual=usual), PHRASES, live=True)
    assert (verdict.told, verdict.outcome) == (usual, Outcome.MISSING)
    assert "above their usual threshold: the speech-to-text server, which takes second looks, is absent" in caplog.text


async def test_a_process_that_comes_back_is_found_again(tmp_path: Path, scorer: Recogniser) -> None:
    where = str(tmp_path / "looks")
    second = SecondLook(AskedRecogniser(where))
    for _ in range(2):
        assert (await second.judge(proposed(), PHRASES, live=True)).outcome == Outcome.MISSING
        recogniser = OwnRecogniser(lambda: scorer)
        async with Service("looks", Address(path=where), LIMITS, Looks(recogniser).serve):
            assert (await second.judge(proposed(), PHRASES, live=True)).outcome == Outcome.ACCEPTED
        await recogniser.close()


async def test_one_that_is_busy_lets_usual_words_through(
    second: SecondLook, scorer: Recogniser, caplog: pytest.LogCaptureFixture
) -> None:
    scorer.gate.clear()
    verdict = await second.judge(proposed(usual=True), PHRASES, live=True)
    assert (verdict.told, verdict.outcome) == (True, Outcome.BUSY)
    assert "the recogniser takes too long" in caplog.text


async def test_a_look_that_nobody_waits_for_is_not_taken(service: Service, scorer: Recogniser) -> None:
    scorer.gate.clear()
    asked = AskedRecogniser(service.address.path)
    looks = [asyncio.create_task(asked.look(bytes(32_000), ["word"])) for _ in range(3)]
    await until(lambda: bool(scorer.looks))
    for look in looks:
        look.cancel()
    await asyncio.wait(looks)
    await until(lambda: not service.connections)
    scorer.gate.set()
    await asked.look(bytes(64_000), ["wort"])
    assert [phrases for _, phrases in scorer.looks] == [("word",), ("wort",)]


async def test_one_that_breaks_or_cannot_be_loaded_says_so(path: str, scorer: Recogniser, tmp_path: Path) -> None:
    scorer.failure = EngineFailed("guided: broken")
    with pytest.raises(EngineFailed, match="guided: broken"):
        await AskedRecogniser(path).look(bytes(64_000), ["word"])

    def nowhere() -> Recogniser:
        raise EngineUnavailable("no model here")

    where = str(tmp_path / "missing")
    recogniser = OwnRecogniser(nowhere)
    async with Service("looks", Address(path=where), LIMITS, Looks(recogniser).serve):
        with pytest.raises(EngineUnavailable, match="no model here"):
            await AskedRecogniser(where).look(bytes(64_000), ["word"])
    await recogniser.close()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Event("describe"), "expected look with 1 to 64 phrases"),
        (Event("look", {"phrases": []}, bytes(64)), "expected look with 1 to 64 phrases"),
        (Event("look", {"phrases": [str(n) for n in range(65)]}, bytes(64)), "expected look with 1 to 64 phrases"),
        (Event("look", {"phrases": ["word"]}), "bytes of 16 bit audio, not 0"),
        (Event("look", {"phrases": ["word"]}, bytes(63)), "bytes of 16 bit audio, not 63"),
        (Event("look", {"phrases": [1]}, bytes(64)), "phrases: expected strings"),
    ],
)
async def test_what_is_no_question_is_refused(path: str, event: Event, said: str, scorer: Recogniser) -> None:
    async with AsyncClient.from_uri(f"unix://{path}") as client:
        await client.write_event(event)
        answer = await client.read_event()
        assert answer is not None
        assert answer.type == "error"
        assert said in answer.data["text"]
    assert not scorer.looks


async def test_one_who_asks_and_goes_on_with_noise_harms_nobody(
    service: Service, scorer: Recogniser, caplog: pytest.LogCaptureFixture
) -> None:
    scorer.gate.clear()
    path = service.address.path
    _, writer = await asyncio.open_unix_connection(path)
    writer.write(encode(Event("look", {"phrases": ["word"]}, bytes(64))))
    await until(lambda: bool(scorer.looks))
    writer.write(b"noise\n")
    await until(lambda: not service.connections)
    writer.close()
    scorer.gate.set()
    assert (await AskedRecogniser(path).look(bytes(64), ["wort"])).phrase == "word"
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_audio_beyond_the_bound_is_not_read(path: str) -> None:
    with pytest.raises(EngineFailed):
        await AskedRecogniser(path).look(bytes(MOST_AUDIO + 2), ["word"])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no JSON\n",
        b'{"type": "pong"}\n',
        b'{"type": "looked", "data": {"llr": "much"}}\n',
        b'{"type": "error", "data": {"text": "no", "code": ["x"]}}\n',
    ],
)
async def test_another_program_at_the_socket_is_no_recogniser(tmp_path: Path, answer: bytes) -> None:
    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    where = str(tmp_path / "looks")
    server = await asyncio.start_unix_server(stranger, where)
    async with server:
        with pytest.raises(EngineFailed, match="speech-to-text server"):
            await AskedRecogniser(where).look(bytes(64), ["word"])


def test_they_share_a_model_where_both_run_and_a_word_is_looked_at(
    configured: Callable[..., Config], tmp_path: Path
) -> None:
    assert shared_path(configured(WAKE__VERIFY="auto"), tmp_path) is not None
    assert shared_path(configured(WAKE__VERIFY="off"), tmp_path) is None
    assert shared_path(configured(WAKE__VERIFY="off", WAKE__TYPED="[computer]"), tmp_path) is not None
    assert shared_path(configured(WAKE__VERIFY="off", WAKE__MODELS="{alexa: {verify: on}}"), tmp_path) is not None
    assert shared_path(configured(WAKE__VERIFY="auto", ASR__ENABLED="false"), tmp_path) is None
    assert shared_path(configured(WAKE__VERIFY="auto"), tmp_path / ("long" * 30)) is None


async def test_the_real_recogniser_looks_for_another_process_behind_its_commands(tmp_path: Path) -> None:
    where = str(tmp_path / "looks")
    async with looks_served({PATH_VARIABLE: where}):
        found = await AskedRecogniser(where).look(bytes(64_000), ["alexa"])
        (thread,) = (one for one in threading.enumerate() if one.name == "second look")
        if sys.platform == "linux":
            own = os.getpriority(os.PRIO_PROCESS, 0)
            assert os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) == min(19, max(own, NICE))
    assert found.llr < 0
