"""The Helm chart: rendered by Helm's own engine, validated by Kubernetes' schemas, and compared with our servers."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from irene_wyoming.__main__ import build_parser
from irene_wyoming.config.load import load
from tests.config.files import ROOT

helm = pytest.importorskip("helm_python", reason="Helm's engine for Python has wheels for x86-64 only")

CHART = ROOT / "packaging" / "helm" / "irene-wyoming"

KUBERNETES = ("1.27", "1.37")

OPERATOR = {"ServiceMonitor"}
"""Kinds of the Prometheus operator, which have no schema in Kubernetes."""

EVERYTHING: dict[str, Any] = {
    "config": {"asr": {"language": "en"}},
    "models": {"names": ["base", "tiny"]},
    "token": {"value": "t" * 32},
    "envFromSecrets": ["keys"],
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {"egress": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]},
    "wake": {
        "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
        "env": {"IRENE_WYOMING__LOG_LEVEL": "debug"},
    },
    "imagePullSecrets": [{"name": "registry"}],
    "podAnnotations": {"a": "b"},
}

BARE: dict[str, Any] = {
    "asr": {"enabled": False},
    "wake": {"autoscaling": {"enabled": False}},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
}

VARIANTS = {"defaults": {}, "everything": EVERYTHING, "bare": BARE}


def rendered(values: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Render the chart; gives objects by kind and name."""
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="demo", namespace="voice")
    texts = [text for name, text in files.items() if name.endswith(".yaml")]
    found = [one for text in texts for one in yaml.safe_load_all(text) if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


@pytest.fixture(params=VARIANTS)
def objects(request: pytest.FixtureRequest) -> dict[tuple[str, str], dict[str, Any]]:
    return rendered(VARIANTS[request.param])


def test_helm_finds_nothing_wrong() -> None:
    assert helm.lint(str(CHART), strict=True)["errors"] == []


@pytest.mark.skipif(
    shutil.which("helm") is None, reason="the helm command is not installed; its engine is tested above"
)
def test_the_helm_command_renders_the_same() -> None:
    command = ["helm", "template", "demo", str(CHART), "--namespace", "voice"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    kinds = {(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all(told) if one}
    assert kinds == rendered({}).keys()


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_it(objects: dict[tuple[str, str], dict[str, Any]], version: str) -> None:
    for (kind, _), one in objects.items():
        if kind not in OPERATOR:
            kubernetes_validate.validate(one, version, strict=True)


def test_a_mistake_is_found() -> None:
    wrong = rendered({"wake": {"resources": {"limits": "much"}}})["Deployment", "demo-irene-wake"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES[0], strict=True)


def pods(objects: dict[tuple[str, str], dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The servers' pods, by role."""
    return [
        (name.rpartition("-")[2], one["spec"]["template"]["spec"])
        for (kind, name), one in objects.items()
        if kind == "Deployment"
    ]


def test_servers_are_started_with_what_they_know(
    objects: dict[tuple[str, str], dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "irene.yaml"
    path.write_text(objects["ConfigMap", "demo-irene"]["data"]["irene.yaml"])
    for role, pod in pods(objects):
        [container] = pod["containers"]
        assert build_parser(role).parse_args(container["args"]).command == role
        # Files in the pod, which do not exist here.
        environ = {one["name"]: one["value"] for one in container["env"]}
        config = load(path, environ)
        server = getattr(config, role)
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports == {"wyoming": server.address.port, "metrics": config.metrics.port}
        assert pod["terminationGracePeriodSeconds"] > config.supervise.stop_timeout_s
        assert config.supervise.notice_s > 0


def test_a_pod_is_no_root_and_keeps_what_it_needs_only(objects: dict[tuple[str, str], dict[str, Any]]) -> None:
    for _, pod in pods(objects):
        assert pod["automountServiceAccountToken"] is False
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"]["runAsNonRoot"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            volumes = {volume["name"] for volume in pod["volumes"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_everything_selects_its_own_pods(objects: dict[tuple[str, str], dict[str, Any]]) -> None:
    labels = {
        name: one["spec"]["template"]["metadata"]["labels"]
        for (kind, name), one in objects.items()
        if kind == "Deployment"
    }
    for (kind, name), one in objects.items():
        selector = {
            "Deployment": lambda spec: spec["selector"]["matchLabels"],
            "Service": lambda spec: spec["selector"],
            "PodDisruptionBudget": lambda spec: spec["selector"]["matchLabels"],
            "NetworkPolicy": lambda spec: spec["podSelector"]["matchLabels"],
        }.get(kind)
        if selector is not None:
            selected = [pod for pod, known in labels.items() if selector(one["spec"]).items() <= known.items()]
            assert selected == [name.removesuffix("-metrics")]


def test_scaling_goes_by_figures_that_there_are() -> None:
    metrics = (ROOT / "irene_wyoming" / "metrics.py").read_text()
    scaler = rendered({})["HorizontalPodAutoscaler", "demo-irene-wake"]
    names = [one["pods"]["metric"]["name"] for one in scaler["spec"]["metrics"]]
    assert names == ["irene_connections", "irene_wait_seconds_mean"]
    assert all(f'"{name.removesuffix("_mean")}"' in metrics for name in names)


def test_the_models_of_a_list_are_fetched_once_and_waited_for() -> None:
    objects = rendered(EVERYTHING)
    [job] = [one for (kind, _), one in objects.items() if kind == "Job"]
    [container] = job["spec"]["template"]["spec"]["containers"]
    script = container["command"][-1]
    mark = next(line.split()[-1] for line in script.splitlines() if line.startswith("touch"))
    [waiting] = objects["Deployment", "demo-irene-asr"]["spec"]["template"]["spec"]["initContainers"]
    assert mark in waiting["command"][-1]
    assert "for name in 'base' 'tiny'" in script
    other = rendered(EVERYTHING | {"models": {"names": ["base"]}})
    assert ("Job", job["metadata"]["name"]) not in other


def test_a_token_of_ones_own_is_used() -> None:
    objects = rendered({"token": {"existingSecret": "mine", "value": "t" * 32}})
    assert not [kind for kind, _ in objects if kind == "Secret"]
    [volume] = [one for one in dict(pods(objects))["wake"]["volumes"] if one["name"] == "token"]
    assert volume["secret"]["secretName"] == "mine"
