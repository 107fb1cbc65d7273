"""What goes wrong at two in the morning: the doctor names each trouble of running servers first, with a cure.

The servers are those of two programs, started as people start them. The first one hears and understands. Its microphone
is a program whose sound each test chooses. The second one has a threshold that is too high, lets nobody near its
microphone, and lacks a model.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest
import yaml

from irene_wyoming.__main__ import main
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.audio.wav import wav
from tests.attack.process import free_ports
from tests.conftest import SPEECH_DIR

WORD = str(SPEECH_DIR / "wake" / "okay_nabu_kal16.wav")
ANOTHER = str(SPEECH_DIR / "wake" / "alexa_slt.wav")
COMMAND = str(SPEECH_DIR / "asr" / "turn_on_the_living_room_light.wav")

MICROPHONE = """
import random, sys, time

chance = random.Random(1)
noise = b"".join(chance.randint(-9, 9).to_bytes(2, "little", signed=True) for _ in range(1600))
kind = open(sys.argv[1]).read()
sound = {"muted": bytes(3200), "soft": noise, "fast": 3 * noise, "nothing": b""}[kind]
due = time.monotonic()
while True:
    sys.stdout.buffer.write(sound)
    sys.stdout.buffer.flush()
    due += 0.1  # what a busy machine delays is made up for
    time.sleep(max(0, due - time.monotonic()))
"""
"""A program that stands in for a recorder at 16 kHz. ``fast`` is 48 kHz under that name."""

Settings = Mapping[str, Any]


def merged(one: Settings, other: Settings) -> dict[str, Any]:
    """Lay settings over others."""
    both = dict(one)
    for key, value in other.items():
        both[key] = merged(one.get(key, {}), value) if isinstance(value, dict) else value
    return both


@dataclass(frozen=True)
class Household:
    """A running program and its settings."""

    settings: Settings
    folder: Path
    pid: int


@contextmanager
def running(folder: Path, settings: Settings) -> Iterator[Household]:
    """Run the program until it serves, and end it afterwards."""
    ports = dict(zip(("wake", "asr", "mic", "front", "metrics", "web"), free_ports(6), strict=True))
    placed = {name: {"port": port} for name, port in ports.items()}
    common = {"data_dir": str(folder / "data"), "hardware": "pc", "discovery": {"zeroconf": False}}
    common |= {"wake": {"default_provider": "microwakeword", "verify": "off"}}
    whole = merged(merged(common, placed), settings)
    file = folder / "my.yaml"
    file.write_text(yaml.safe_dump(whole))
    command = (sys.executable, "-m", "irene_wyoming", "run", "--config", str(file))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        try:
            assert process.stderr is not None
            told = []
            for line in process.stderr:
                told.append(line)
                if "front: ready" in line:
                    break
            assert process.poll() is None, "".join(told)
            Thread(target=process.stderr.read, daemon=True).start()  # so that its log never blocks it
            yield Household(whole, folder, process.pid)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    folder = tmp_path_factory.mktemp("first")
    (folder / "microphone.py").write_text(MICROPHONE)
    recorder = [sys.executable, str(folder / "microphone.py"), str(folder / "sound")]
    here = {name: {"host": "127.0.0.1"} for name in ("wake", "asr", "mic", "front")}
    own = {
        "asr": {"fallback_providers": []},
        "mic": {"source": {"kind": "command", "command": recorder}, "linger_s": 0},
    }
    with running(folder, merged(here, own)) as household:
        yield household


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    folder = tmp_path_factory.mktemp("second")
    (folder / "empty").mkdir()
    settings = {
        "wake": {"models": {"okay_nabu": {"threshold": 0.99}}},
        "asr": {"default_provider": "vosk", "providers": {"vosk": {"enabled": True}, "guided": {"enabled": False}}},
        "mic": {"source": {"kind": "silence"}, "access": {"allow": ["203.0.113.0/24"]}},
    }
    with running(folder, settings) as household:
        yield household


class Doctor:
    """The command ``irene-wyoming doctor``."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def named_first(self, household: Household, *words: str, **changes: Settings | str) -> str:
        """The name, text and cure of what it names first; empty: nothing.

        :param changes: settings that differ from those of the program, by section.
        """
        file = household.folder / "examined.yaml"
        file.write_text(yaml.safe_dump(merged(household.settings, changes)))
        self._capsys.readouterr()
        main(["doctor", "--json", "--config", str(file), *words])
        told = json.loads(self._capsys.readouterr().out)
        found = told["first"]
        assert found is None or found["cure"], told
        return "" if found is None else f"{found['name']}: {found['text']}. {found['cure']}"


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(capsys)


OFF = {"enabled": False}


@pytest.mark.parametrize(
    ("sound", "words", "told", "cure"),
    [
        ("muted", ("--silent",), "the microphone is muted", "unmute the microphone"),
        ("soft", ("--seconds", "2"), "too soft", "turn the microphone's gain up"),
        ("fast", ("--silent",), "and 16000 were promised", "set the source's real rate"),
        ("nothing", ("--silent",), "no audio came", "lists the sound inputs"),
    ],
)
def test_a_microphone(
    first: Household, doctor: Doctor, sound: str, words: tuple[str, ...], told: str, cure: str
) -> None:
    (first.folder / "sound").write_text(sound)
    named = doctor.named_first(first, *words, wake=OFF, asr=OFF)
    assert told in named
    assert cure in named


def test_a_word_below_its_threshold(second: Household, doctor: Doctor) -> None:
    named = doctor.named_first(second, "--silent", "--word-file", WORD, asr=OFF, mic=OFF)
    assert named.startswith("wake word: okay_nabu scored 0.9")
    assert "and counts from 0.99: below its threshold. move its slider" in named


def test_the_wrong_word(first: Household, doctor: Doctor) -> None:
    named = doctor.named_first(first, "--silent", "--word-file", ANOTHER, mic=OFF)
    assert named.startswith("wake word: alexa was heard, and okay_nabu is listened for. say okay_nabu")


class Mail(BaseRequestHandler):
    """A mail server's greeting."""

    def handle(self) -> None:
        self.request.sendall(b"220 mail.example ESMTP\r\n")


def test_a_port_that_another_program_has(first: Household, doctor: Doctor) -> None:
    with TCPServer(("127.0.0.1", 0), Mail) as other:
        serving = Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        named = doctor.named_first(first, "--silent", mic=OFF, wake={"port": other.server_address[1]})
        other.shutdown()
        serving.join()
    assert "does not speak Wyoming. stop the other program at port" in named


def test_a_second_instance(first: Household, second: Household, doctor: Doctor) -> None:
    named = doctor.named_first(second, "--silent", asr=OFF, mic=OFF)
    assert named.startswith("instances: ")
    assert str(first.pid) in named
    assert str(second.pid) in named
    assert "stop all but one" in named


def test_a_model_that_is_not_here(first: Household, second: Household, doctor: Doctor) -> None:
    mirror = f"http://127.0.0.1:{first.settings['web']['port']}"  # somebody answers there
    named = doctor.named_first(second, "--silent", mic=OFF, models={"mirror": mirror})
    assert named.startswith("models: not here: vosk: ")
    assert "fetch it: `irene-wyoming models list`" in named


def test_no_internet(second: Household, doctor: Doctor) -> None:
    mirror = "http://127.0.0.1:1"  # nobody answers there
    named = doctor.named_first(second, "--silent", mic=OFF, models={"mirror": mirror})
    assert named.startswith("internet: 127.0.0.1 cannot be reached: ")
    assert "connect this machine to the internet, or copy the model" in named


def test_an_interface_that_nobody_else_reaches(first: Household, doctor: Doctor) -> None:
    named = doctor.named_first(first, "--silent", mic=OFF)
    assert named.startswith("interface: only this machine reaches: wake, asr, front. set wake.host to 0.0.0.0")


def test_an_address_that_is_refused(second: Household, doctor: Doctor, other_host: str) -> None:
    named = doctor.named_first(second, "--silent", asr=OFF, mic={"host": other_host})
    assert named.startswith("mic server: ")
    assert "add this machine's network to access.allow" in named


def test_a_command_that_is_not_understood(first: Household, doctor: Doctor, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 500, 2 * SPEECH.rate).astype("<i2")
    (tmp_path / "noise.wav").write_bytes(wav(noise.tobytes(), SPEECH))
    named = doctor.named_first(first, "--silent", "--command-file", str(tmp_path / "noise.wav"), mic=OFF)
    assert named.startswith("command: not understood")
    assert "irene-wyoming names" in named


def test_a_command_that_is_misunderstood(first: Household, doctor: Doctor) -> None:
    words = ("--command-file", COMMAND, "--expect", "turn on the living room fan")
    named = doctor.named_first(first, "--silent", *words, mic=OFF)
    assert "misunderstood: 'turn on the living room light' instead of 'turn on the living room fan'" in named
    assert "expose the device under the name that you say" in named


def test_a_disk_that_takes_nothing(first: Household, doctor: Doctor) -> None:
    below = first.folder / "my.yaml" / "data"
    named = doctor.named_first(first, "--silent", mic=OFF, data_dir=str(below))
    assert "data_dir" in named
    assert "is no folder. choose a folder that this program may write to, or free some space" in named
