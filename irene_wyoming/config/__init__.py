"""Configuration: YAML, checked by a schema, becomes frozen dataclasses. Only load.py reads files."""
