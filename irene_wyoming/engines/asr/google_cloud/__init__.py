"""Speech-to-text by Google Cloud."""
