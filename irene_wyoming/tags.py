"""Language tags (BCP 47)."""


def primary(tag: str) -> str:
    """The language itself, without region or script: ``en`` of ``en-GB`` or ``en_GB``."""
    return tag.replace("_", "-").partition("-")[0].casefold()
