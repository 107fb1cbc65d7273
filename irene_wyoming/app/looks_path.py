"""Whether second looks are wanted, and the socket on which one server asks another for them. Loads no engine."""

import os
from pathlib import Path

from irene_wyoming.config.model import Config
from irene_wyoming.config.wake import WakeConfig
from irene_wyoming.wire.address import MAX_SOCKET_PATH

SOCKET = "looks.sock"


def wanted(settings: WakeConfig) -> bool:
    """Whether the configuration wants second looks for any word or satellite, or has words that need them."""
    verifies = [settings.verify, *(word.verify for word in settings.models.values())]
    for satellite in settings.satellites.values():
        verifies += [satellite.settings.verify, *(word.verify for word in satellite.models.values())]
    return bool(settings.typed) or any(verify not in (None, "off") for verify in verifies)


def shared_path(config: Config, folder: Path) -> Path | None:
    """The socket on which the speech-to-text server takes looks; None: not both servers run, or no looks are wanted.

    :param folder: folder for the socket; no other user may enter it.
    """
    path = folder / SOCKET
    if not (config.wake.enabled and config.asr.enabled and wanted(config.wake)):
        return None
    return path if len(os.fsencode(path)) <= MAX_SOCKET_PATH else None
