"""Sources of live audio: sound devices, programs that write PCM, wav files. Only this room touches sound devices.

May import: stream, audio, errors.
"""
