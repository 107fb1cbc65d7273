"""The dashboard and the alert rules use only metrics and labels that exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from irene_wyoming import metrics

FOLDER = Path(__file__).parents[2] / "packaging" / "grafana"

assert metrics.CONNECTIONS  # importing it registers them

NAME = re.compile(r"\birene_[a-z_]+")
ADDED = {"instance"}
"""Labels that Prometheus adds to every sample."""

GROUPED = re.compile(r"by \(([^)]*)\)")


def known() -> dict[str, set[str]]:
    """Every possible sample, with its labels."""
    found: dict[str, set[str]] = {}
    for collector, names in REGISTRY._collector_to_names.items():  # noqa: SLF001  # the library lists them nowhere else
        labels = set(getattr(collector, "_labelnames", ()))
        found |= {name: labels | ({"le"} if name.endswith("_bucket") else set()) for name in names}
    return found


def expressions() -> Iterator[tuple[str, str]]:
    dashboard: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"], rule["annotations"]["summary"]


@pytest.mark.parametrize(("expression", "words"), list(expressions()))
def test_metrics_and_labels_exist(expression: str, words: str) -> None:
    samples = known()
    names = NAME.findall(expression)
    assert names
    assert set(names) <= samples.keys()
    labels = ADDED.union(*(samples[name] for name in names))
    grouped = {label.strip() for group in GROUPED.findall(expression) for label in group.split(",")}
    told = set(re.findall(r"\$labels\.(\w+)|\{\{(\w+)\}\}", words))
    assert grouped <= labels
    assert {one or other for one, other in told} <= labels


def test_a_fleet_is_shown_by_machine_and_as_a_whole() -> None:
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    [row] = [index for index, panel in enumerate(panels) if panel["type"] == "row"]
    fleet = [target["expr"] for panel in panels[row:] for target in panel["targets"]]
    assert any("by (instance" in expression for expression in fleet)
    assert any("instance" not in expression for expression in fleet)


def test_there_are_five_rules_and_each_says_what_to_do() -> None:
    (group,) = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    assert len(group["rules"]) == 5
    assert all(rule["annotations"]["what_to_do"] for rule in group["rules"])
