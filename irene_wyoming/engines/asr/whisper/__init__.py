"""Speech-to-text by Whisper, through faster-whisper."""
