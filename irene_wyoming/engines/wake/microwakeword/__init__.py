"""microWakeWord's models, run by TensorFlow Lite."""
