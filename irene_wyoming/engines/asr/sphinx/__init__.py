"""Commands of a fixed grammar, recognised by PocketSphinx."""
