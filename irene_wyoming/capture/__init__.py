"""Sources of live audio: sound devices, programs that write PCM, wav files. The only place that touches sound devices.

May import: stream, audio, errors.
"""
