"""The rules of Home Assistant's Supervisor for an add-on's manifest, as data. Source: its validation (mid 2026).

It silently drops unknown keys and options that do not fit its pattern, so only a copy of its rules shows mistakes.
"""

import re
from collections.abc import Callable
from typing import Any

SLUG = re.compile(r"[-_.A-Za-z0-9]+")
PORT = re.compile(r"\d{1,5}(/tcp|/udp)?")
IMAGE = re.compile(r"[a-z0-9.-]+(/[a-z0-9._-]+)+")
WATCHDOG = re.compile(r"(?:https?|\[PROTO:\w+\]|tcp)://\[HOST\]:(\[PORT:\d+\]|\d+).*")
ELEMENT = re.compile(
    r"(?:bool|email|url|port|device(?:\(subsystem=[a-z]+\))?|str(?:\(\d*,\d*\))?|password(?:\(\d*,\d*\))?"
    r"|int(?:\((?P<i_min>\d+)?,(?P<i_max>\d+)?\))?|float(?:\((?P<f_min>[\d.]+)?,(?P<f_max>[\d.]+)?\))?"
    r"|match\((?P<match>.*)\)|list\((?P<list>.+)\))\??"
)
"""The type of one option. With ``?`` the option may be left out."""
ARCHITECTURES = {"aarch64", "amd64"}
"""Architectures that still have Supervisors."""
MAPS = {
    "data", "homeassistant_config", "app_config", "all_app_configs", "ssl", "apps", "backup", "share", "media",
}  # fmt: skip


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def is_map(value: Any) -> bool:
    return value["type"] in MAPS and value.keys() <= {"type", "read_only", "path"}


MANIFEST: dict[str, Callable[[Any], Any]] = {
    "name": is_text,
    "version": is_text,
    "slug": lambda value: SLUG.fullmatch(value),
    "description": is_text,
    "url": lambda value: value.startswith("https://"),
    "stage": lambda value: value in {"stable", "experimental", "deprecated"},
    "arch": lambda value: set(value) <= ARCHITECTURES,
    "startup": lambda value: value in {"initialize", "system", "services", "application", "once"},
    "image": lambda value: IMAGE.fullmatch(value),
    "homeassistant": lambda value: re.fullmatch(r"20\d\d\.\d+\.\d+", value),
    "boot": lambda value: value in {"auto", "manual", "manual_only"},
    "init": lambda value: isinstance(value, bool),
    "audio": lambda value: isinstance(value, bool),
    "realtime": lambda value: isinstance(value, bool),
    "discovery": lambda value: isinstance(value, list) and all(map(is_text, value)),
    "homeassistant_api": lambda value: isinstance(value, bool),
    "ingress": lambda value: isinstance(value, bool),
    "ingress_port": lambda value: 0 <= value < 65_536,
    "ingress_stream": lambda value: isinstance(value, bool),
    "panel_icon": lambda value: value.startswith("mdi:"),
    "panel_title": is_text,
    "watchdog": lambda value: WATCHDOG.fullmatch(value),
    "ports": lambda value: all(PORT.fullmatch(port) and (to is None or 0 < to < 65_536) for port, to in value.items()),
    "map": lambda value: all(map(is_map, value)),
    "backup_exclude": lambda value: isinstance(value, list) and all(map(is_text, value)),
    "options": lambda value: isinstance(value, dict),
    "schema": lambda value: isinstance(value, dict),
}
"""The keys that we might use, and their allowed values. For others see the Supervisor's documentation first."""

OF_ITSELF: dict[str, Any] = {
    "stage": "stable", "startup": "application", "boot": "auto", "init": True, "ingress_port": 8099,
    "ingress_entry": "/", "ingress": False, "homeassistant_api": False, "audio": False,
    "options": {}, "schema": {}, "map": [], "ports": {},
}  # fmt: skip
"""Default values of keys; today's add-on linter refuses to have them written."""

LEFT_BEHIND = {"advanced", "auto_uart", "squash", "watchdog"}
"""Obsolete keys. A HEALTHCHECK in the image takes the place of ``watchdog``."""

REQUIRED = {"name", "version", "slug", "description", "arch"}

REPOSITORY = {"name", "url", "maintainer"}
"""The keys of repository.yaml; name is required."""
