"""All errors of this package, grouped by what a user can do about them.

- IreneError
    - ConfigError: a setting is wrong; the message names the path, the value and what is allowed
    - AudioError
        - UnsupportedFormat: a rate, width or channel count outside of what is accepted
    - ProtocolError: a peer sent something that is not Wyoming
        - FrameTooLarge: a peer asked us to hold more than a limit allows
        - LimitExceeded: too many connections, too long an utterance, too slow a peer
        - NotAllowed: a peer connects from a network that is not allowed
        - Draining: the server is being stopped, so that another one has to be asked
    - AddressUnavailable: a server cannot listen where it should
    - ServerUnavailable: a server that should answer does not
    - EngineError
        - EngineUnavailable: not installed or not loadable; the message says what to install
        - EngineFailed: an engine broke while it worked
            - EngineTimeout: it did not answer in time
            - EngineBusy: it was busy with other requests; nothing is wrong with this one
        - UnknownModel: a name that no engine here has; the message lists the known ones
        - UnsupportedRequest: a request that the chosen engine cannot meet
        - NoProvider: every provider that could have answered has failed
    - CaptureError: a sound source cannot be opened or has ended
    - DiscoveryError: the servers could not be announced
    - DownloadFailed: a model cannot be fetched, or is not what it should be
    - HomeUnavailable: Home Assistant cannot be asked for its names
        - HomeRefused: it refuses: an unknown token, or a command that it does not have

Each class has a stable ``code``: it goes into the ``error`` event that a client reads.
"""


class IreneError(Exception):
    """Root of all errors of this package."""

    code = "internal-error"


class ConfigError(IreneError):
    code = "config-error"


class AudioError(IreneError):
    code = "audio-error"


class UnsupportedFormat(AudioError):
    code = "unsupported-format"


class ProtocolError(IreneError):
    code = "protocol-error"


class FrameTooLarge(ProtocolError):
    code = "frame-too-large"


class LimitExceeded(ProtocolError):
    code = "limit-exceeded"


class NotAllowed(ProtocolError):
    code = "not-allowed"


class Draining(ProtocolError):
    code = "draining"


class AddressUnavailable(IreneError):
    code = "address-unavailable"


class ServerUnavailable(IreneError):
    code = "server-unavailable"


class EngineError(IreneError):
    code = "engine-error"


class EngineUnavailable(EngineError):
    code = "engine-unavailable"


class EngineFailed(EngineError):
    code = "engine-failed"


class EngineTimeout(EngineFailed):
    code = "engine-timeout"


class EngineBusy(EngineFailed):
    code = "engine-busy"


class UnknownModel(EngineError):
    code = "unknown-model"


class UnsupportedRequest(EngineError):
    code = "unsupported-request"


class NoProvider(EngineError):
    code = "no-provider"


class CaptureError(IreneError):
    code = "capture-error"


class DiscoveryError(IreneError):
    code = "discovery-error"


class DownloadFailed(IreneError):
    code = "download-failed"


class HomeUnavailable(IreneError):
    code = "home-unavailable"


class HomeRefused(HomeUnavailable):
    code = "home-refused"

    def __init__(self, message: str, reason: str = "") -> None:
        """:param reason: Home Assistant's own code, such as ``unknown_command``; empty: it gives none."""
        super().__init__(message)
        self.reason = reason
