"""Speech-to-text by Vosk, from a Kaldi model."""
