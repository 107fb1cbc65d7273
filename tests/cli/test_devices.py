"""``irene-wyoming devices``: on a real PulseAudio where there is one."""

import random

import pytest

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.capture.base import Device
from irene_wyoming.cli import devices
from irene_wyoming.cli.devices import PULSE, Level
from tests.capture.conftest import PulseAudio, pulseaudio  # noqa: F401  # the fixture


async def test_pulseaudios_sources_are_listed_with_format_and_level(pulseaudio: PulseAudio) -> None:  # noqa: F811
    async with pulseaudio.spoken(random.Random(3).randbytes(32_000)):
        found = {device.name: (device, level) for device, level in await devices.heard(0.2) if device.api == PULSE}
    microphone, level = found["microphone"]
    assert (microphone.default, microphone.format, microphone.rates) == (True, SPEECH, (16_000,))
    assert level is not None
    assert level.level_dbfs == pytest.approx(-4.8, abs=1)  # white noise up to full scale
    speaker, silence = found["speaker.monitor"]
    assert (speaker.default, speaker.format) == (False, AudioFormat(48_000, 2, 2))
    assert silence is not None
    assert silence.peak_dbfs == -100


YETI = Device(2, "Blue Yeti", "ALSA", AudioFormat(48_000, 2, 2), True, (44_100, 48_000), (2, 3))


@pytest.mark.parametrize(
    ("level", "says"),
    [
        (None, "*   2  Blue Yeti  [ALSA]  48000 Hz 16 bit stereo, can do 44.1 48 kHz, 16 24 bit"),
        (Level(-40.5, 0, 7, ""), "level -40.5 dBFS, peak 0 dBFS, 7 samples clipped"),
        (Level(-100, -100, 0, ""), "peak -100 dBFS (digital silence: muted?)"),
        (Level(None, None, 0, "is in use"), "is in use"),
    ],
)
def test_a_line_says_what_a_device_can_do_and_hears(level: Level | None, says: str) -> None:
    assert says in devices.line(YETI, level)
