"""sherpa: models of many families (Parakeet, SenseVoice, Moonshine, zipformer, ...) on the sherpa-onnx library."""
