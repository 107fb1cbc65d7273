"""When modules are imported: heavy ones only by their users, and each module alone."""

import subprocess
import sys
from pathlib import Path

import pytest

import irene_wyoming

ROOT = Path(irene_wyoming.__file__).parent
MODULES = sorted(
    ".".join(("irene_wyoming", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in ROOT.rglob("*.py")
)
HEAVY = ("numpy", "soxr", "scipy", "zeroconf", "sounddevice", "onnxruntime", "hassil", "pymicro_features")
HEAVY_EXTRAS = ("grpc", "ray")  # of engines that are installed at need


def loaded_after(code: str) -> set[str]:
    """The heavy modules that a fresh interpreter has loaded after this code."""
    probe = f"import sys; {code}; print(*[name for name in {HEAVY + HEAVY_EXTRAS!r} if name in sys.modules])"
    return set(subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split())


def test_every_module_can_be_imported_first() -> None:
    code = (
        f"import sys\nfor name in {MODULES!r}:\n"
        "    for ours in [m for m in sys.modules if m.startswith('irene_wyoming') and m != 'irene_wyoming.metrics']:\n"
        "        del sys.modules[ours]\n"  # the metrics register with the process, which they can do only once
        "    try: __import__(name)\n"
        "    except ModuleNotFoundError as error:\n"  # an engine whose extra is not installed
        "        optional = 'engines.asr' in name or name == 'irene_wyoming.farm.deployment'\n"
        "        if not optional or 'irene_wyoming' in error.name: raise\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


@pytest.mark.parametrize(
    "code",
    [
        "from irene_wyoming.__main__ import build_parser; build_parser('')",
        "import irene_wyoming.cli.describe",
        "from irene_wyoming.config.load import load; load(None, {})",
        "from irene_wyoming.engines.registry import specs; specs('wake'); specs('asr')",
        "import irene_wyoming.app.run",
    ],
)
def test_the_command_line_the_configuration_and_the_front_load_nothing_heavy(code: str) -> None:
    assert loaded_after(code) == set()


def test_the_wake_server_loads_no_speech_to_text() -> None:
    assert loaded_after("import irene_wyoming.app.wake") == {"numpy"}


def test_a_server_under_run_loads_no_web_server_and_no_front() -> None:
    code = "import sys, irene_wyoming.app.wake, irene_wyoming.app.lifecycle"
    code += "; assert not {'aiohttp', 'irene_wyoming.servers.front'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_counts_before_run_has_settled_where_figures_go() -> None:
    code = "import sys, irene_wyoming.cli.run; assert 'prometheus_client' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
