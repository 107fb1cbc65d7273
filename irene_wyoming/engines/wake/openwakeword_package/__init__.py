"""openWakeWord's models, run by the openwakeword package itself."""
