"""Language tags (BCP 47)."""


def primary(tag: str) -> str:
    """The language of a tag without region or script: ``en`` for ``en-GB`` or ``en_GB``."""
    return tag.replace("_", "-").partition("-")[0].casefold()
