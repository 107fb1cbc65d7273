"""Reads YAML text into plain values; every fault becomes a ConfigError that tells its place."""

from typing import Any

import yaml

from irene_wyoming.errors import ConfigError

MAX_DEPTH = 30
"""Most levels of nested mappings and lists. Settings need 6; some hundred would overflow Python's stack."""


class _Loader(yaml.SafeLoader):
    """Loads safe YAML; repeated keys and values that do not fit their type are errors with a line number."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "nested too deeply", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.composer.ComposerError(None, None, f"{key.value!r} is there twice", key.start_mark)
                seen.add(key.value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            return super().construct_object(node, deep)
        try:
            return super().construct_object(node, deep)
        # raised for values such as 2024-13-45, !!bool x and !!timestamp x
        except (ValueError, KeyError, AttributeError) as error:
            raise yaml.constructor.ConstructorError(
                None, None, f"cannot read {node.value[:40]!r}; text needs quotes here", node.start_mark
            ) from error


def parse(text: str, source: str) -> Any:
    """Read one YAML document. ``source`` names it in errors.

    :raises ConfigError: it is not valid YAML, with line and column, or a key stands in it twice.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{source}: {_where(error)}{error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not YAML: {' '.join(str(error).split())}") from error


def _where(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
