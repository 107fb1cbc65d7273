"""Speech-to-text by any program that prints what a wav file says."""
