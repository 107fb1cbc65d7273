"""What the page asks servers for, by the names under which they do it."""

SETTINGS = "settings"
"""Of the wake server: to hear words otherwise from now on."""

NAMES = "names"
"""Of the speech-to-text server: the names of the home, and how they are said."""

RELOAD_NAMES = "reload-names"
"""Of the speech-to-text server: to read the names again now."""
