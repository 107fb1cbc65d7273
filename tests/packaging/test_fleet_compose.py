"""packaging/compose.fleet.yaml: several servers behind HAProxy with `docker compose --scale`."""

import shutil
import subprocess
from typing import Any

import pytest
import yaml

from irene_wyoming.__main__ import build_parser
from irene_wyoming.bench.fleet.proxy import DEFAULTS, section
from irene_wyoming.config.load import load
from tests.bench.test_fleet import statements
from tests.config.files import ROOT

FOLDER = ROOT / "packaging"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.fleet.yaml").read_text())
PROXY = FOLDER / "haproxy" / "compose.cfg"


@pytest.mark.parametrize("role", ["wake", "asr"])
def test_a_server_is_one_of_the_program_and_takes_the_proxy(role: str) -> None:
    service = COMPOSE["services"][role]
    build_parser(role).parse_args(service["command"])
    config = load(None, service["environment"])
    proxy = COMPOSE["services"]["proxy"]["networks"]["fleet"]["ipv4_address"]
    assert [str(network.network_address) for network in getattr(config, role).access.proxies] == [proxy]
    assert config.supervise.stop_timeout_s < int(service["stop_grace_period"].removesuffix("s"))
    assert not {"ports", "container_name"} & service.keys()  # of which there can be one only
    assert f"{getattr(config, role).port}:{getattr(config, role).port}" in COMPOSE["services"]["proxy"]["ports"]


def test_the_proxy_is_the_packaged_one_but_for_where_servers_are() -> None:
    found = statements(PROXY.read_text())
    for role, port in (("wake", 10400), ("asr", 10300)):
        at = found.index(f"listen {role}")
        expected = statements(section(role, f":{port}", {}))
        assert found[at : at + len(expected) + 1] == [*expected, f"    server-template {role} 1-20 {role}:{port} check"]
    defaults = statements(DEFAULTS)
    at = found.index("defaults")
    own = "    default-server resolvers docker init-addr none"
    assert found[at : at + len(defaults) + 1] == [*defaults, own]


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
def test_haproxy_takes_it() -> None:
    subprocess.run(["haproxy", "-c", "-f", str(PROXY)], check=True, capture_output=True)
