"""``irene-wyoming bench fleet``: a small one in every run, the promised one on request."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from irene_wyoming.bench.fleet.proxy import DEFAULTS, section
from irene_wyoming.bench.fleet.run import KILLED, ROLLING, SLOW, STEADY, Plan, measured
from irene_wyoming.bench.fleet.verdict import gates
from irene_wyoming.bench.rows import FleetRow, ScaleRow, Spread
from irene_wyoming.cli.bench.wake import track
from tests.cli.test_bench import run
from tests.config.files import ROOT

SMALL = {"VERIFY": "off", "DEFAULT_PROVIDER": "microwakeword", "PROVIDERS__OPENWAKEWORD__ENABLED": "false"}

PACKAGED = ROOT / "packaging" / "haproxy" / "haproxy.cfg"

needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin") is None, reason="haproxy is not installed"
)


def statements(text: str) -> list[str]:
    """The lines of a text that are no comments."""
    return [line.rstrip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def test_the_measured_proxy_is_the_packaged_one() -> None:
    bind = '"${{IRENE_BIND}}:${{IRENE_{}_PORT}}"'
    wake = section("wake", bind.format("WAKE"), {f"wake{n}": f'"${{IRENE_WAKE_{n}}}"' for n in (1, 2, 3)})
    asr = section("asr", bind.format("ASR"), {f"asr{n}": f'"${{IRENE_ASR_{n}}}"' for n in (1, 2)})
    found = statements(PACKAGED.read_text())
    front = section("front", bind.format("FRONT"), {f"front{n}": f'"${{IRENE_FRONT_{n}}}"' for n in (1, 2)})
    expected = [*statements(DEFAULTS + wake + asr), ".if defined(IRENE_FRONT_PORT)", *statements(front), ".endif"]
    assert found[found.index("defaults") :] == expected


@pytest.fixture
def plan() -> Plan:
    return Plan(track(None, 4), wake=2, asr=0, satellites=4, speakers=0, seconds=4.0, settings=SMALL)


@needs_haproxy
async def test_satellites_of_a_killed_server_are_heard_by_the_other(plan: Plan, tmp_path: Path) -> None:
    [steady, killed] = await measured(plan, tmp_path, [STEADY, KILLED])
    assert steady.words > 0
    assert (steady.words_lost, steady.disturbed) == (0, 0)
    assert steady.describe.tries > 0
    assert killed.disturbed == killed.hung_on
    assert 0 < killed.hung_on < plan.satellites  # 2, or 3 where one came while somebody asked for a description
    assert killed.back_s > 0
    assert [gate.kept for gate in gates([steady, killed])] == [True, True, True]


@needs_haproxy
@pytest.mark.skipif("IRENE_WYOMING_TEST_FLEET" not in os.environ, reason="takes minutes; IRENE_WYOMING_TEST_FLEET=1")
def test_the_promised_fleet(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fleet", "--json") == 0
    assert all(gate["kept"] for gate in json.loads(capsys.readouterr().out)["gates"])


NOTHING = Spread(None, None, None, 0)


def row(phase: str, **changes: object) -> FleetRow:
    plain: dict[str, object] = {
        "phase": phase,
        "seconds": 20.0,
        "satellites": 24,
        "words": 300,
        "words_lost": 0,
        "word_delay": NOTHING,
        "commands": 40,
        "commands_lost": 0,
        "command_delay": NOTHING,
        "describe": NOTHING,
        "disturbed": 8,
        "hung_on": 8,
        "back_s": 0.2,
        "held_up_s": 0.0,
        "taken": {"wake1": 1, "asr1": 3, "asr2": 9},
    }
    make: Callable[..., FleetRow] = FleetRow
    return make(**plain | changes)


def scale(servers: int, cost: float, p95_ms: float) -> ScaleRow:
    return ScaleRow(servers, 12 * servers, cost, 0.5, 60, 60, Spread(20.0, p95_ms, 60.0, 60))


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([row(KILLED)], [True, True]),
        ([row(KILLED, back_s=6.0, disturbed=9)], [False, False]),
        ([row(ROLLING)], [True]),
        ([row(ROLLING, commands_lost=1)], [False]),
        ([row(ROLLING, words=20)], [None]),
        ([row(ROLLING, words_lost=1, held_up_s=0.4)], [None]),
        ([row(STEADY)], [True]),
        ([row(STEADY, commands_lost=1)], [False]),
        ([row(STEADY, words_lost=1, held_up_s=0.4)], [None]),
        ([row(SLOW)], [True]),
        ([row(SLOW, taken={"asr1": 9, "asr2": 9})], [False]),
    ],
)
def test_what_is_held_against_a_fleet(rows: list[FleetRow], kept: list[bool | None]) -> None:
    assert [gate.kept for gate in gates(rows)] == kept


@pytest.mark.parametrize(
    ("cost", "p95_ms", "kept"), [(8.3, 50.0, [True, True]), (8.6, 50.0, [False, True]), (8.0, 70.0, [True, False])]
)
def test_two_servers_carry_nearly_twice_as_many_and_as_fast(cost: float, p95_ms: float, kept: list[bool]) -> None:
    assert [gate.kept for gate in gates([], [scale(1, 8.0, 45.0), scale(2, cost, p95_ms)])] == kept


def test_a_plot_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from irene_wyoming.bench.fleet import plot

    told = Spread(20.0, 30.0, 40.0, 9)
    plot.write([row(KILLED, word_delay=told), row(SLOW, words_lost=2)], tmp_path / "fleet.svg")
    assert "kill -9" in (tmp_path / "fleet.svg").read_text()
