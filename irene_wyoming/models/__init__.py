"""Model folders on disk: which there are, whether one is whole, how one is fetched. Knows no engine and no protocol."""
