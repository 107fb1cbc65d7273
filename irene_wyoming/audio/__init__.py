"""The audio core: formats, PCM coding, resampling, conversion.

Pure: no event loop, no clock, no files, no configuration. May import: numpy, soxr, errors.
"""
