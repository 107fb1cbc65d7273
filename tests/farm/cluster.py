"""A farm on Ray Serve as packaging/ray/farm.yaml describes it, in processes of this machine that end with it."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from irene_wyoming.bench.serving import free_port
from tests.config.files import ROOT

FARM = ROOT / "packaging" / "ray" / "farm.yaml"

START_S = 120
"""Seconds to wait for a cluster with its replicas: 16 on an idle machine."""

END_S = 30
"""Seconds to wait for the cluster's end."""


def described(
    provider: str, replicas: int, user_config: Mapping[str, Any], config: Path | None, port: int
) -> dict[str, Any]:
    """The packaged description with these values in place of its own."""
    farm: dict[str, Any] = yaml.safe_load(FARM.read_text())
    farm["http_options"] |= {"host": "127.0.0.1", "port": port}
    (application,) = farm["applications"]
    application["args"] = {"provider": provider} | ({} if config is None else {"config": str(config)})
    (deployment,) = application["deployments"]
    del deployment["autoscaling_config"]
    deployment |= {"num_replicas": replicas, "user_config": dict(user_config)}
    return farm


@contextmanager
def farm(
    provider: str = "guided", *, replicas: int = 2, config: Path | None = None, **user_config: float
) -> Iterator[str]:
    """Run a cluster on this machine with replicas of one core each; gives the API's address."""
    with tempfile.TemporaryDirectory(prefix="farm", ignore_cleanup_errors=True) as folder:
        port = free_port()
        file = Path(folder) / "farm.yaml"
        file.write_text(yaml.safe_dump(described(provider, replicas, user_config, config, port)))
        log = Path(folder) / "log"
        command = [sys.executable, "-c", "from ray.serve.scripts import cli; cli()", "run", str(file)]
        environment = os.environ | {"RAY_TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
        try:
            uri = f"http://127.0.0.1:{port}/v1"
            until_it_answers(uri, process, log)
            yield uri
        finally:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until_it_answers(uri: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the farm lists its models."""
    deadline = time.monotonic() + START_S
    while True:
        with suppress(OSError), urllib.request.urlopen(f"{uri}/models", timeout=5) as answer:
            if answer.status == 200:
                return
        assert process.poll() is None, log.read_text()[-4_000:]
        assert time.monotonic() < deadline, log.read_text()[-4_000:]
        time.sleep(0.2)
