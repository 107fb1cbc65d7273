"""Settings that are refused, and their messages."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from irene_wyoming.audio.format import AudioFormat, Quality
from irene_wyoming.checks import Keys
from irene_wyoming.config.layers import Layer, merge, nested
from irene_wyoming.config.load import default_text
from irene_wyoming.config.schema import build_schema
from irene_wyoming.config.server import ProviderConfig
from irene_wyoming.engines import registry
from irene_wyoming.errors import ConfigError
from irene_wyoming.wire.address import Address
from tests.config.files import loaded, refused

BAD_VALUES = [
    # numbers
    ("asr: {port: 99999}", "asr.port: 99999: expected a port, 0 to 65535"),
    ("asr: {port: -1}", "asr.port: -1: expected a port, 0 to 65535"),
    ("asr: {port: '10300'}", "asr.port: '10300': expected a port, 0 to 65535"),
    ("asr: {port: 10300.0}", "asr.port: 10300.0: expected a port, 0 to 65535"),
    ("asr: {port: true}", "asr.port: true: expected a port, 0 to 65535"),
    ("asr: {port: null}", "asr.port: null: expected a port, 0 to 65535"),
    ("asr: {port: [1]}", "asr.port: [1]: expected a port, 0 to 65535"),
    ("wake: {sample_rate: 7999}", "wake.sample_rate: 7999: expected a rate in Hz, 8000 to 192000"),
    ("wake: {channels: 9}", "wake.channels: 9: expected a number of channels, 1 to 8"),
    ("wake: {chunk_size: 0}", "wake.chunk_size: 0: expected a number of frames, 80 to 192000"),
    ("asr: {max_utterance_s: .nan}", "asr.max_utterance_s: nan: expected seconds, 1 to 3600"),
    ("asr: {max_utterance_s: .inf}", "asr.max_utterance_s: inf: expected seconds, 1 to 3600"),
    ("mic: {buffer_ms: 2.5}", "mic.buffer_ms: 2.5: expected milliseconds, 100 to 60000"),
    ("mic: {linger_s: -1}", "mic.linger_s: -1: expected seconds, 0 to 3600"),
    ("mic: {gain_db: 61}", "mic.gain_db: 61: expected decibel, -60 to 60"),
    ("mic: {width: 5}", "mic.width: 5: expected bytes per sample, 1 to 4"),
    ("mic: {source: {width: 0}}", "mic.source.width: 0: expected bytes per sample, 1 to 4"),
    ("mic: {source: {sample_rate: 1}}", "mic.source.sample_rate: 1: expected a rate in Hz, 8000 to 192000, or 0"),
    ("mic: {source: {channels: false}}", "mic.source.channels: false: expected a number of channels, 1 to 8, or 0"),
    (
        "front: {limits: {max_connections: 0}}",
        "front.limits.max_connections: 0: expected a number of connections, 1 to 10000",
    ),
    ("wake: {limits: {event_timeout_s: 0}}", "wake.limits.event_timeout_s: 0: expected seconds, 0.1 to 3600"),
    (
        "mic: {extra: [{rate: 8000}]}",
        "mic.extra[0].rate: unknown key; expected one of host, port, uri, sample_rate, width, "
        "channels, resample_quality, chunk_size",
    ),
    # words
    ("hardware: [pc]", "hardware: ['pc']: expected one of auto, pi_zero, pi4, pi5, pc, gpu"),
    ("log_level: verbose", "log_level: 'verbose': expected one of debug, info, warning, error"),
    (
        "wake: {resample_quality: ultra}",
        "wake.resample_quality: 'ultra': expected one of fast, medium, high, adaptive, linear, soxr",
    ),
    (
        "wake: {resample_quality: [fast]}",
        "wake.resample_quality: ['fast']: expected one of fast, medium, high, adaptive, linear, soxr",
    ),
    (
        "mic: {source: {kind: alsa}}",
        "mic.source.kind: 'alsa': expected one of auto, portaudio, command, wavfile, silence",
    ),
    ("wake: {enabled: 1}", "wake.enabled: 1: expected true or false"),
    ("wake: {enabled: 'yes'}", "wake.enabled: 'yes': expected true or false"),
    ("asr: {language: no}", "asr.language: false: expected a language tag such as 'en' or 'en-GB'"),
    ("asr: {language: English!}", "asr.language: 'English!': expected a language tag such as 'en' or 'en-GB'"),
    # text and lists
    ("asr: {host: ''}", "asr.host: '': expected text that is not empty"),
    ("asr: {host: 1.5}", "asr.host: 1.5: expected text; put it in quotes"),
    ("asr: {host: 'a/b'}", "asr.host: 'a/b': expected a host name or an address, such as 0.0.0.0"),
    ("discovery: {name: 5}", "discovery.name: 5: expected text; put it in quotes"),
    ('discovery: {name: "a\\nb"}', "discovery.name: 'a\\nb': expected text without control characters"),
    (f"discovery: {{name: {'ä' * 21}}}", f"discovery.name: '{'ä' * 21}': expected at most 40 bytes of text"),
    ("wake: {default_models: alexa}", "wake.default_models: 'alexa': expected a list of at least one wake word"),
    ("wake: {models: [alexa]}", "wake.models: ['alexa']: expected a mapping, by the name of a wake word"),
    ("wake: {models: {alexa: {treshold: 1}}}", "wake.models.alexa.treshold: unknown key; did you mean threshold?"),
    ("wake: {models: {alexa: {threshold: 0}}}", "wake.models.alexa.threshold: 0: expected a score, 0.001 to 1"),
    (
        "wake: {models: {alexa: {min_level_dbfs: 40}}}",
        "wake.models.alexa.min_level_dbfs: 40: expected dB of full scale, -100 to 0",
    ),
    (
        "wake: {satellites: {kitchen: {models: {alexa: {trigger_level: 0}}}}}",
        "wake.satellites.kitchen.models.alexa.trigger_level: 0: expected steps in a row, 1 to 50",
    ),
    (
        "wake: {satellites: {7: {}}}",
        "wake.satellites[7]: expected a satellite's address, network or name, in quotes if it is a number",
    ),
    ("wake: {default_models: []}", "wake.default_models: []: expected a list of at least one wake word"),
    ("wake: {default_models: [alexa, no]}", "wake.default_models[1]: false: expected text; put it in quotes"),
    ("asr: {vocabulary: {areas: [{name: den}]}}", "asr.vocabulary.areas[0]: expected text"),
    (
        "mic: {source: {command: arecord}}",
        "mic.source.command: 'arecord': expected a program and its arguments as a list of text",
    ),
    ("mic: {source: {device: -1}}", "mic.source.device: -1: expected text; put it in quotes"),
    ("data_dir: ''", "data_dir: '': expected text that is not empty"),
    (
        "data_dir: ~nobody-of-that-name/x",
        "data_dir: '~nobody-of-that-name/x': expected a path; whose home folder this is, is not known",
    ),
    (
        f"data_dir: /{'x' * 256}",
        f"data_dir: '/{'x' * 26}...{'x' * 28}': expected a path of at most 1024 bytes, and 255 between two slashes",
    ),
    # addresses
    (
        "asr: {uri: 'tcp://kitchen'}",
        "asr.uri: 'tcp://kitchen': expected tcp://host:port, with an IPv6 address in brackets, or unix:///path/of/socket",
    ),
    ("asr: {uri: 'tcp://kitchen:99999'}", "asr.uri: 'tcp://kitchen:99999': expected a port, 0 to 65535"),
    ("asr: {port: 10400}", "asr: tcp://0.0.0.0:10400 is taken by wake; expected an address of its own"),
    ("mic: {uri: 'tcp://[::1]:10300'}", "mic: tcp://[::1]:10300 is taken by asr; expected an address of its own"),
    # keys
    ("asr: {prot: 1}", "asr.prot: unknown key; did you mean port?"),
    ("discovery: {mdns: 1}", "discovery.mdns: unknown key; expected one of zeroconf, name"),
    (
        "10300: 1",
        "[10300]: unknown key; expected one of log_level, log_format, data_dir, hardware, wake, asr, mic, models, "
        "front, discovery, home, web, metrics, supervise",
    ),
    ("asr: 5", "asr: 5: expected a mapping"),
    ("asr: []", "asr: []: expected a mapping"),
    ("asr: {limits: 5}", "asr.limits: 5: expected a mapping"),
    # engines
    (
        "wake: {providers: {snowboy: {enabled: true}}}",
        "wake.providers.snowboy: no such engine is registered; expected one of microwakeword, openwakeword, "
        "openwakeword_package, guest",
    ),
    ("wake: {providers: {gest: {}}}", "wake.providers.gest: no such engine is registered; did you mean guest?"),
    ("wake: {providers: {guest: {gian: 1}}}", "wake.providers.guest.gian: unknown key; did you mean gain?"),
    ("wake: {providers: {guest: {gain: 21}}}", "wake.providers.guest.gain: 21: expected 0 to 20 dB"),
    ("wake: {providers: {guest: {enabled: 3}}}", "wake.providers.guest.enabled: 3: expected true or false"),
    ("wake: {providers: {guest: null}}", "wake.providers.guest: null: expected a mapping"),
    (
        "wake: {default_provider: guest}",
        "wake.default_provider: 'guest': expected an enabled provider: openwakeword, microwakeword; set "
        "wake.providers.guest.enabled: true to use it",
    ),
    (
        "wake: {fallback_providers: [microwakeword, guest]}",
        "wake.fallback_providers[1]: 'guest': expected an enabled provider: openwakeword, microwakeword; set "
        "wake.providers.guest.enabled: true to use it",
    ),
    (
        "asr: {default_provider: guided, providers: {guided: {enabled: false}}}",
        "asr.default_provider: 'guided': no provider is enabled; set asr.providers.guided.enabled: true to use it",
    ),
    (
        "asr: {default_provider: giuded}",
        "asr.default_provider: 'giuded': expected one of auto, guided, vosk, whisper, sherpa, remote, google_cloud",
    ),
    (
        "asr: {default_provider: guided, policy: cascade, fallback_providers: []}",
        "asr.policy: 'cascade': expected another enabled provider besides guided",
    ),
    (
        "asr: {providers: {remote: {enabled: true}}}",
        "asr.providers.remote.uri: '': expected tcp://host:port (Wyoming), http(s)://host:port/v1 or "
        "ws(s)://host:port/v1 (OpenAI's API), since remote is enabled",
    ),
    (
        "asr: {providers: {remote: {uri: ['tcp://box:1', 'ws://secret@box/v1', 'http://me:secret@box/v1']}}}",
        "asr.providers.remote.uri[1]: 'ws://***@box/v1': expected tcp://host:port (Wyoming), http(s)://host:port/v1 or "
        "ws(s)://host:port/v1 (OpenAI's API), without a user name, ? or #; a key goes into "
        "asr.providers.remote.api_key\n"
        "my.yaml: asr.providers.remote.uri[2]: 'http://me:***@box/v1': expected tcp://host:port (Wyoming), "
        "http(s)://host:port/v1 or ws(s)://host:port/v1 (OpenAI's API), without a user name, ? or #; a key goes into "
        "asr.providers.remote.api_key",
    ),
    (
        "asr: {providers: {remote: {uri: 'http://me:secret@box:8000/v1?key=secret'}}}",
        "asr.providers.remote.uri: 'http://me:***@box:8000/v1?key=***': expected tcp://host:port (Wyoming), "
        "http(s)://host:port/v1 or ws(s)://host:port/v1 (OpenAI's API), without a user name, ? or #; a key goes into "
        "asr.providers.remote.api_key",
    ),
    (
        "asr: {uri: 'tcp://me:secret/with@signs@box:1'}",
        "asr.uri: 'tcp://me:***@box:1': expected tcp://host:port, with an IPv6 address in brackets, or "
        "unix:///path/of/socket",
    ),
    *(
        (
            f"wake: {{satellites: {{'{wrong}': {{}}}}}}",
            f"wake.satellites.{wrong}: expected an address or a network, such as 192.168.1.20",
        )
        for wrong in ("192.168.1.300", "192.168.1", "10.0.0.0/33", "fe80::1::2", "fd00::/129")
    ),
    ("asr: {fallback_providers: all}", "asr.fallback_providers: 'all': expected null or a list of providers"),
    # values that go together
    ("mic: {extra: [{sample_rate: 8000}]}", "mic.extra[0]: expected a port or a uri"),
    ("mic: {extra: [{port: 10600}]}", "mic: tcp://0.0.0.0:10600 is taken by mic; expected an address of its own"),
    ("mic: {extra: [{port: 10400}]}", "mic: tcp://0.0.0.0:10400 is taken by wake; expected an address of its own"),
    (
        "mic: {allow_resampling: false, extra: [{port: 1, sample_rate: 8000}]}",
        "mic.extra[0]: expected the format of mic, 16000 Hz 16 bit mono, since allow_resampling is off",
    ),
    (
        "mic: {source: {kind: command}}",
        "mic.source.command: []: expected a program and its arguments, since kind is command",
    ),
    ("mic: {source: {kind: wavfile}}", "mic.source.file: null: expected a file, since kind is wavfile"),
    ("supervise: {restart_delay_s: 60}", "supervise.restart_delay_max_s: 30: expected no less than restart_delay_s"),
]


@pytest.mark.parametrize(("text", "message"), BAD_VALUES)
def test_a_wrong_value_is_refused_with_path_value_and_what_is_allowed(tmp_path: Path, text: str, message: str) -> None:
    assert refused(text, tmp_path) == f"my.yaml: {message}"


def test_all_faults_come_at_once_one_to_a_line(tmp_path: Path) -> None:
    text = "wake: {channels: 0, limits: {data_bytes: 1}}\nasr: {port: x}\nfront: {prot: 1}"
    assert refused(text, tmp_path).split("\n") == [
        "my.yaml: wake.channels: 0: expected a number of channels, 1 to 8",
        "my.yaml: wake.limits.data_bytes: 1: expected a number of bytes, 1024 to 67108864",
        "my.yaml: asr.port: 'x': expected a port, 0 to 65535",
        "my.yaml: front.prot: unknown key; did you mean port?",
    ]


def test_a_long_value_does_not_hide_the_message(tmp_path: Path) -> None:
    message = refused(f"log_level: {'x' * 10_000}", tmp_path)
    assert len(message) < 150
    assert message.endswith("expected one of debug, info, warning, error")


def test_a_missing_key_is_named() -> None:
    settings = yaml.safe_load(default_text())
    del settings["asr"]["port"]
    with pytest.raises(ConfigError, match=r"^asr\.port: missing$"):
        build_schema(registry.specs("wake"), registry.specs("asr"))(settings)


def test_an_engine_is_off_until_it_is_written_down(tmp_path: Path) -> None:
    assert loaded("", tmp_path).wake.providers["guest"] == ProviderConfig(False, {"gain": 6})
    on = loaded("wake: {providers: {guest: {gain: 0}}}", tmp_path).wake
    assert on.providers["guest"] == ProviderConfig(True, {"gain": 0})
    assert on.fallback_providers == ("microwakeword", "guest")


def test_the_default_provider_comes_first_and_nobody_twice(tmp_path: Path) -> None:
    text = "wake: {default_provider: guest, fallback_providers: [openwakeword, guest], providers: {guest: {}}}"
    wake = loaded(text, tmp_path).wake
    assert (wake.default_provider, wake.fallback_providers) == ("guest", ("openwakeword",))


def test_no_fallback_is_a_choice(tmp_path: Path) -> None:
    assert loaded("wake: {fallback_providers: []}", tmp_path).wake.fallback_providers == ()


def test_an_engine_switched_off_is_no_fallback(tmp_path: Path) -> None:
    assert loaded("wake: {providers: {microwakeword: {enabled: false}}}", tmp_path).wake.fallback_providers == ()


def test_a_uri_wins_over_host_and_port(tmp_path: Path) -> None:
    assert loaded("asr: {host: a, port: 1, uri: 'unix:///run/a'}", tmp_path).asr.address == Address(path="/run/a")


@pytest.mark.parametrize(
    "text",
    [
        "asr: {port: 10400, enabled: false}",
        "asr: {port: 0}\nwake: {port: 0}",
        "asr: {port: 10400, host: 127.0.0.1}\nwake: {host: 127.0.0.2}",
        "asr: {uri: 'unix:///run/a'}\nwake: {uri: 'unix:///run/b'}",
    ],
)
def test_servers_that_do_not_meet_may_look_alike(tmp_path: Path, text: str) -> None:
    loaded(text, tmp_path)


def test_values_become_what_the_program_works_with(tmp_path: Path) -> None:
    config = loaded(
        "asr: {host: '[::]', max_utterance_s: 30, resample_quality: adaptive}\n"
        "data_dir: /data\n"
        "mic: {source: {device: 3}}\n",
        tmp_path,
    )
    assert config.asr.address.host == "::"
    assert type(config.asr.max_utterance_s) is float
    assert config.asr.audio.resample_quality is Quality.ADAPTIVE
    assert config.data_dir == Path("/data")
    assert config.mic.source.device == "3"


def test_an_extra_address_of_the_microphone_is_as_its_own_but_for_what_is_given(tmp_path: Path) -> None:
    text = "mic: {host: 127.0.0.1, extra: [{port: 1}, {uri: 'unix:///run/wide', sample_rate: 48000, channels: 2}]}"
    own, same, wide = loaded(text, tmp_path).mic.outputs
    assert same == replace(own, address=Address("127.0.0.1", 1))
    assert wide == replace(
        own, address=Address(path="/run/wide"), format=AudioFormat(48_000, 2, 2), chunk_size=3 * own.chunk_size
    )


@pytest.mark.parametrize("kind", ["command", "silence"])
def test_a_source_that_cannot_be_asked_delivers_what_listeners_get(tmp_path: Path, kind: str) -> None:
    mic = loaded(f"mic: {{sample_rate: 48000, channels: 2, source: {{kind: {kind}, command: [rec]}}}}", tmp_path).mic
    assert (mic.source.sample_rate, mic.source.channels) == (48_000, 2)


def test_a_device_is_left_its_own_format(tmp_path: Path) -> None:
    mic = loaded("mic: {sample_rate: 48000}", tmp_path).mic
    assert (mic.source.sample_rate, mic.source.channels) == (0, 0)


def leaves(settings: Any, path: Keys = ()) -> list[Keys]:
    if not isinstance(settings, dict):
        return [path]
    return [leaf for key, value in settings.items() for leaf in leaves(value, (*path, key))]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


DEFAULTS = yaml.safe_load(default_text())
CHECK = build_schema(registry.specs("wake"), registry.specs("asr"))


@settings(max_examples=150)
@given(st.sampled_from(leaves(DEFAULTS)), st.integers(1, 4), VALUES)
def test_whatever_the_value_it_is_taken_or_refused(path: Keys, depth: int, value: Any) -> None:
    with suppress(ConfigError):
        CHECK(merge([Layer("defaults", DEFAULTS), Layer("file", nested(path[:depth], value))]))
