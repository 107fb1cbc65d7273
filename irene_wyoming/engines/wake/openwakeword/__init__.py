"""openWakeWord's models, run by TensorFlow Lite."""
