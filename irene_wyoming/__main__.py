"""The command line: ``irene-wyoming COMMAND``. Only the module of the chosen command is imported."""

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version

from irene_wyoming import cores, heap
from irene_wyoming.errors import ConfigError, IreneError

COMMANDS = {
    "run": "start all enabled servers and the front address, and keep them running",
    "wake": "run the wake word server alone (port 10400)",
    "asr": "run the speech-to-text server alone (port 10300)",
    "mic": "run the microphone server alone (port 10600)",
    "demo": "play packaged speech through wake word and speech-to-text and print what they hear",
    "check": "check configuration, engines, devices and ports; show what a hub will see",
    "doctor": "follow your speech through every link, and find the first that fails",
    "describe": "print the description that a running server gives a hub",
    "detect": "find wake words in a wav file",
    "transcribe": "print what is spoken in a wav file",
    "wake-scores": "show live scores of the wake word engines, as meters in the terminal",
    "learn-wake": "learn a wake word from 5 to 30 recordings of it",
    "wake-score": "rate a phrase as a typed wake word, one without a model",
    "tune-wake": "find the threshold of a wake word from recordings of your household",
    "names": "list the names of rooms and things, their source, and how each is said",
    "models": "list, fetch and check speech-to-text models",
    "monitor": "watch running servers in the terminal",
    "devices": "list the sound inputs of this machine",
    "listen": "show the level of a microphone server, or record it into a wav file",
    "profile": "show the work of a server's event loop under load, and its stalls",
    "bench": "measure the cost and quality of the parts",
    "config": "print the configuration: every key with its default, unit and reason",
    "completion": "print the completion of commands and options for a shell",
}

MODULES = {"bench": "bench.command", "wake": "server", "asr": "server", "mic": "server"}
"""Commands whose module has another name."""

SERVERS = ("run", "wake", "asr", "mic")

EXIT_FAILED = 1
EXIT_USAGE = 2
"""Exit code for wrong usage or configuration: a restart would not help."""


def build_parser(chosen: str | None) -> argparse.ArgumentParser:
    """Build the parser with the arguments of the chosen command only; None: of all commands, which loads all."""
    parser = argparse.ArgumentParser(
        prog="irene-wyoming",
        description="Wake word, speech-to-text and microphone servers for Home Assistant (Wyoming protocol).",
        epilog="'irene-wyoming COMMAND --help' tells the options of a command.",
    )
    parser.add_argument("--version", action="version", version=f"irene-wyoming {version('irene-wyoming')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if chosen in (name, None):
            module = import_module(f"irene_wyoming.cli.{MODULES.get(name, name.replace('-', '_'))}")
            module.add_arguments(command)
            command.set_defaults(run=module.run, build_parser=build_parser)  # shell completion needs the whole parser
    return parser


# Our matrices are small: a second thread of numpy's library only gets in the way of the first (100 times slower on a
# busy machine), and engines get their threads from their own settings. It is read once, when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Libraries that use OpenMP count the machine's cores, and not those that a container may use.
os.environ.setdefault("OMP_NUM_THREADS", str(cores.granted()))


def _stopped_early(_number: int, _frame: object) -> None:
    """Exit cleanly when stopped during start-up. Later the event loop handles the signal."""
    raise SystemExit(0)


def _told(error: IreneError, words: Sequence[str]) -> str:
    """An error's message without passwords; in an add-on it calls settings by the options' names."""
    from irene_wyoming.checks import discreet

    text = discreet(str(error))
    if not any(word.endswith(".json") for word in words):
        return text
    from irene_wyoming.config.addon import told

    return told(text)


def _escaped(text: str) -> str:
    """Lines from which no name of a file can move a terminal's cursor."""
    from irene_wyoming.app.logs import escaped

    return "\n".join(map(escaped, text.split("\n")))


def _of_machine(error: OSError | ImportError | MemoryError) -> str:
    """What this machine lacks, in one line for the user."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    return f"a library cannot be loaded: {str(error).strip().rpartition(chr(10))[2] or error.name}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] and words[0] in SERVERS and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stopped_early)
        heap.one_heap()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # the image blocks the signal until a handler exists
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a home's names on a terminal that only has ASCII
            stream.reconfigure(errors="backslashreplace")
    try:
        args = build_parser(next((word for word in words if word in COMMANDS), "")).parse_args(words)
        code = int(args.run(args))
        print(end="", flush=True)  # a failed write raises here, and prints no traceback later
        return code
    except IreneError as error:
        print(f"irene-wyoming: {_escaped(_told(error, words))}", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, ConfigError) else EXIT_FAILED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output, such as head, has closed it
        sys.stderr.close()
        return EXIT_FAILED
    except (
        OSError,
        ImportError,
        MemoryError,
    ) as error:  # no room, no right, no memory, half a library
        print(f"irene-wyoming: {_escaped(_of_machine(error))}", file=sys.stderr)
        with suppress(OSError, AttributeError):
            sys.stdout.close()  # or the interpreter tries to write the rest again
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
