"""The command ``irene-wyoming models``."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from irene_wyoming import hardware
from irene_wyoming.app.trial import why_not
from irene_wyoming.checks import Wrong, web_address
from irene_wyoming.cli import common
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ConfigError, EngineUnavailable
from irene_wyoming.models import catalogue, folder
from irene_wyoming.models.catalogue import EVERY, Entry, Remote
from irene_wyoming.models.check import CHECKS, check
from irene_wyoming.models.install import changed, install
from irene_wyoming.models.recommend import entry_of, recommend

ENGINES = tuple(CHECKS)
BAR = 30
"""Width of the progress bar, characters."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str, run_action: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        sub.set_defaults(run_action=run_action)
        common.add_config(sub)
        sub.add_argument("--data-dir", type=Path, metavar="DIR", help="instead of data_dir in the configuration")
        return sub

    common.add_json(action("list", "models that are here, and models that can be fetched by name", show))
    get = action("download", "fetch a model into the data folder; one that broke off is resumed", download)
    get.add_argument("model", help="name from the list, or the address of an archive (zip, tar)")
    get.add_argument("--engine", choices=ENGINES, help="for an address: engine of the model")
    get.add_argument(
        "--sha256", type=sha256, metavar="HEX", help="for an address: the checksum that the file must have"
    )
    get.add_argument("--name", type=folder_name, help="for an address: the model's name (default: the file's)")
    get.add_argument("--force", action="store_true", help="fetch it even if it is here")
    verify = action("verify", "check models that are here: files, checksums, and whether they can be loaded", verified)
    verify.add_argument("model", nargs="*", help="names (default: all)")
    fitting = action("recommend", "engines and models that suit a language and this machine, and why", recommended)
    fitting.add_argument("--language", metavar="TAG", help="such as de (default: asr.language)")
    where = action("path", "print the folder of a model that is here", path)
    where.add_argument("model")


def run(args: argparse.Namespace) -> int:
    action: Callable[[argparse.Namespace], int] = args.run_action
    return action(args)


def sha256(text: str) -> str:
    if len(text) != 64 or not set(text.lower()) <= set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected 64 hexadecimal digits")
    return text.lower()


def folder_name(text: str) -> str:
    if not text.isprintable() or "/" in text or text.startswith(".") or len(text.encode()) > 100:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected a name of up to 100 bytes without '/', not starting with '.'"
        )
    return text


def data_dir(args: argparse.Namespace) -> Path | None:
    given: Path | None = args.data_dir
    return given.expanduser() if given else common.read_config(args, quiet=True).data_dir


def offered(config: Config) -> Sequence[Entry]:
    """The models that can be fetched with this configuration."""
    return catalogue.load(config.models.catalogue, config.models.mirror)


def wanted_dir(args: argparse.Namespace) -> Path:
    """The folder for models; raises ConfigError where none is configured."""
    found = data_dir(args)
    if found is None:
        raise ConfigError(
            "data_dir: null: expected a folder for models; set it in the configuration or give --data-dir"
        )
    return found


def show(args: argparse.Namespace) -> int:
    where = data_dir(args)
    here = {(found.engine, found.name) for engine in ENGINES for found in folder.kept(where, engine)}
    entries = offered(common.read_config(args, quiet=True))
    known = {(entry.engine, entry.name) for entry in entries}
    if args.json:
        rows = [asdict(entry) | {"size": entry.size, "here": (entry.engine, entry.name) in here} for entry in entries]
        rows += [{"engine": engine, "name": name, "here": True} for engine, name in sorted(here - known)]
        common.print_json({"format": catalogue.FORMAT, "data_dir": str(where) if where else None, "models": rows})
        return 0
    wide = max(len(name) for _, name in {*here, *known})
    print(f"{'engine':8} {'name':{wide}} {'language':13} {'MB':>5}  {'licence':16} here")
    for entry in entries:
        mark = "yes" if (entry.engine, entry.name) in here else "no"
        spoken = spelled(entry.languages)
        print(f"{entry.engine:8} {entry.name:{wide}} {spoken:13} {entry.size >> 20:5}  {entry.licence:16} {mark}")
    for engine, name in sorted(here - known):
        print(f"{engine:8} {name:{wide}} {'':13} {'':5}  {'':16} yes")
    print(f"Models are kept in {where}." if where else "data_dir is not set: models cannot be fetched yet.")
    return 0


def download(args: argparse.Namespace) -> int:
    entry, where = requested(args), wanted_dir(args)
    target = folder.models_dir(where, entry.engine) / entry.name
    if target.is_dir() and not args.force:
        print(f"{target} is here already; --force fetches it again")
        return 0
    print(f"{entry.name}, {entry.licence}, from {entry.files[0].url}")
    progress = Bar() if sys.stderr.isatty() else Lines()
    try:
        install(entry, where, progress.told)
    finally:
        progress.close()
    print(f"{target} is ready")
    print(f"Use it with asr.providers.{entry.engine}: {{enabled: true, model: {entry.name}}} and data_dir: {where}")
    return 0


def requested(args: argparse.Namespace) -> Entry:
    """Find the model that the user named.

    :raises UnknownModel: the name is not in the catalogue.
    :raises ConfigError: an address lacks the other arguments that it needs.
    """
    if "://" not in args.model:
        return catalogue.entry(args.model, offered(common.read_config(args, quiet=True)))
    if not args.engine or not args.sha256:
        raise ConfigError(f"{args.model}: an address needs --engine and --sha256 besides")
    try:
        remote = Remote(web_address(args.model), args.sha256, None)
    except Wrong as wrong:
        raise ConfigError(f"{args.model}: {wrong}") from wrong
    stem = remote.name
    for suffix in (".zip", ".tgz", ".gz", ".xz", ".bz2", ".tar"):
        stem = stem.removesuffix(suffix)
    try:
        name = args.name or folder_name(stem or ".")
    except argparse.ArgumentTypeError as error:
        raise ConfigError(f"{args.model}: give it a name with --name: {error}") from error
    return Entry(args.engine, name, (), "licence unknown", (remote,))


def spelled(languages: Sequence[str]) -> str:
    """Format languages for a narrow column."""
    if EVERY in languages:
        return "multilingual"
    return ", ".join(languages) if len(languages) <= 3 else f"{len(languages)} languages"


def recommended(args: argparse.Namespace) -> int:
    config = common.read_config(args, quiet=True)
    machine = hardware.detect()
    language = args.language or config.asr.language
    entries = offered(config)
    print(f"{language}, on {machine}:")
    for number, choice in enumerate(recommend(language, machine.cores, machine.memory_mb, gpu=machine.gpu), start=1):
        found = entry_of(choice, entries)
        about = f" {found.name}, {found.size >> 20} MB, {found.licence}" if found else ""
        print(f"{number}. {choice.engine}{about}: {choice.why}")
    print("Used by itself with asr.default_provider: auto; how fast each is here: irene-wyoming bench asr FOLDER")
    return 0


def verified(args: argparse.Namespace) -> int:
    """Exit code 0: all models are whole; 1: one is not, or there is none."""
    where = wanted_dir(args)
    there = [found for engine in ENGINES for found in folder.kept(where, engine)]
    missing = sorted(set(args.model) - {found.name for found in there})
    for name in missing:
        print(f"{name}: is not here")
    chosen = [found for found in there if not args.model or found.name in args.model]
    faults = [fault(found.engine, found.path) for found in chosen]
    for found, wrong in zip(chosen, faults, strict=True):
        print(f"{found.engine} {found.name}: {wrong or 'whole, and can be loaded'}")
    if not there:
        print(f"there is no model in {where / 'asr'}")
    return 1 if missing or not there or any(faults) else 0


def fault(engine: str, model: Path) -> str | None:
    try:
        check(engine, model)
    except EngineUnavailable as error:
        return str(error)
    other = changed(model)
    if other:
        return f"changed since it was fetched: {', '.join(other)}; fetch it again with --force"
    return why_not(engine, model)


def path(args: argparse.Namespace) -> int:
    """Exit code 1: the model is not here."""
    where = wanted_dir(args)
    for engine in ENGINES:
        for found in folder.kept(where, engine):
            if found.name == args.model:
                print(found.path)
                return 0
    print(f"{args.model}: is not in {where / 'asr'}", file=sys.stderr)
    return 1


class Bar:
    """Shows progress on a terminal, in one line that is drawn again and again."""

    def __init__(self) -> None:
        self._drawn = 0.0

    def told(self, have: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._drawn < 0.1 and have != total:
            return
        self._drawn = now
        share = min(1.0, have / total) if total else 0.0
        filled = round(BAR * share)
        text = (
            f"[{'#' * filled}{'.' * (BAR - filled)}] {share:4.0%} of {total >> 20} MB" if total else f"{have >> 20} MB"
        )
        print(f"\r{text}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._drawn:
            print(file=sys.stderr)


class Lines:
    """Shows progress in a log: a line per tenth, or per 100 MB where the size is unknown."""

    def __init__(self) -> None:
        self._last = 0

    def told(self, have: int, total: int | None) -> None:
        step = 10 * have // total if total else have // 100_000_000
        if step > self._last:
            self._last = step
            print(f"{have >> 20} MB" + (f" of {total >> 20}" if total else ""), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Do nothing: every line is complete."""
