"""Names of the actions that the page asks servers for."""

SETTINGS = "settings"
"""Asks the wake server to hear words with other settings from now on."""

NAMES = "names"
"""Asks the speech-to-text server for the names of the home, and how they are said."""

RELOAD_NAMES = "reload-names"
"""Asks the speech-to-text server to read the names of the home again now."""
