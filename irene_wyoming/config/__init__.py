"""YAML to schema to frozen dataclasses. Only load reads files. May import: the layers below."""
