"""Model folders on disk: finding, checking and fetching them. This layer knows no engine and no protocol."""
