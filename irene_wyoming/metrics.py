"""The servers' metrics for Prometheus. This module imports nothing of ours.

Label values come from fixed sets (server, model, provider, quality level, error code), never from the network, so that
clients cannot add time series. Figures of several processes are joined by prometheus-client's multiprocess mode, which
``irene-wyoming run`` switches on by setting PROMETHEUS_MULTIPROC_DIR for its servers.
"""

import os

from prometheus_client import Counter, Gauge, Histogram, values

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Variable with the folder in which processes keep their metrics, read when prometheus-client is imported."""

PROCESS_VARIABLE = "IRENE_WYOMING_METRICS_PROCESS"
"""Variable with the name of this process in that folder. A restarted server goes on with the counts of the old one. By
process id, the library's own way, every restart would leave files behind.
"""


def _share_figures() -> None:
    own = os.getpid()
    # Removed, so that a process that this one starts does not write into the same files.
    name = os.environ.pop(PROCESS_VARIABLE, "") or str(own)
    values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]
        lambda: name if os.getpid() == own else str(os.getpid())
    )


if FOLDER_VARIABLE in os.environ:
    _share_figures()

FAST = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
"""Histogram steps, seconds, for the processing of a chunk."""

FELT = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""Histogram steps, seconds, for times that a person waits."""

# Conversations
CONNECTIONS = Gauge("irene_connections", "Clients connected now", ["server"], multiprocess_mode="livesum")
DRAINING = Gauge(
    "irene_draining", "1: is being stopped, and takes no new clients", ["server"], multiprocess_mode="livemax"
)
REFUSED = Counter("irene_refused_total", "Conversations ended with an error, by its code", ["server", "code"])

# The process
RESIDENT_BYTES = Gauge("irene_resident_bytes", "Memory of the process", ["server"], multiprocess_mode="livesum")
GPU_USED_BYTES = Gauge(
    "irene_gpu_used_bytes", "Memory of an NVIDIA GPU in use, by whomever", ["gpu"], multiprocess_mode="livemax"
)
GPU_BYTES = Gauge("irene_gpu_bytes", "Memory that an NVIDIA GPU has", ["gpu"], multiprocess_mode="livemax")
LOOP_LAG_SECONDS = Histogram(
    "irene_loop_lag_seconds", "How late the event loop is: whatever it does waits for so long", ["server"], buckets=FAST
)
WAIT_SECONDS = Histogram(
    "irene_wait_seconds", "How long a call waits for its turn on a thread of engines", ["worker"], buckets=FAST
)
RESTARTS = Counter("irene_restarts_total", "Times that a server was started again because it had ended", ["server"])

# Audio
CONVERT_SECONDS = Histogram(
    "irene_convert_seconds",
    "Converting one chunk: decode, remix, resample, encode",
    ["server", "quality"],
    buckets=FAST,
)
DROPPED_FRAMES = Counter("irene_dropped_frames_total", "Frames lost by listeners that read too slowly", ["server"])
CACHE_HITS = Gauge("irene_cache_hits", "Lookups that found what they asked for", ["cache"], multiprocess_mode="livesum")
CACHE_MISSES = Gauge("irene_cache_misses", "Lookups that did not", ["cache"], multiprocess_mode="livesum")
MEMORY_PRESSURE = Gauge("irene_memory_pressure", "0: none, 1: some, 2: critical", multiprocess_mode="livemax")
UNLOADED_MODELS = Counter("irene_unloaded_models_total", "Models let go because memory ran short", ["provider"])
QUALITY_CHANGES = Counter(
    "irene_quality_changes_total", "Changes of new adaptive streams to this level", ["server", "to"]
)

# Wake words
DETECTIONS = Counter("irene_detections_total", "Wake words heard", ["model"])
WORD_TIMESTAMP = Gauge(
    "irene_last_word_timestamp_seconds", "When a wake word was last heard", ["model"], multiprocess_mode="livemax"
)
WORD_SCORE = Gauge(
    "irene_last_word_score", "The peak of its score then, 0 to 1", ["model"], multiprocess_mode="livemax"
)
NEAR_MISSES = Counter("irene_near_misses_total", "Wake words that were nearly heard", ["model"])
ANSWERED_ELSEWHERE = Counter(
    "irene_answered_elsewhere_total", "Wake words that a satellite heard and another one, nearer, answered", ["model"]
)
STALE_SECONDS = Counter(
    "irene_stale_seconds_total", "Audio that was dropped since the engines were further behind than wake.max_lag_s"
)
SECOND_LOOKS = Counter(
    "irene_second_looks_total", "Proposed wake words by what the recogniser made of them", ["outcome"]
)
SECOND_LOOK_SECONDS = Histogram("irene_second_look_seconds", "One look at a proposed wake word", buckets=FELT)
INFER_SECONDS = Histogram("irene_infer_seconds", "A wake engine's work on one piece of audio", ["engine"], buckets=FAST)
SPARED_SECONDS = Counter(
    "irene_spared_seconds_total", "Audio that a wake engine was not given, since nothing changed in it", ["engine"]
)
RECORDINGS = Counter("irene_recordings_total", "Recordings of wake words: kept, or lost", ["kind", "result"])

# Speech-to-text
TRANSCRIPTS = Counter(
    "irene_transcripts_total",
    "Utterances transcribed; empty: nothing that an engine was sure of",
    ["provider", "result"],
)
TRANSCRIPT_SECONDS = Histogram(
    "irene_transcript_seconds", "From the end of the audio to its transcript", ["provider"], buckets=FELT
)
REAL_TIME_FACTOR = Histogram(
    "irene_real_time_factor",
    "Time that a provider worked on an utterance over the length of its audio",
    ["provider"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
)

CASCADE = Counter(
    "irene_cascade_total",
    "Utterances by who answered them (fast, strong), and whether the fast provider had said the same",
    ["answered", "agreement"],
)

REMOTE_HEDGES = Counter(
    "irene_remote_hedges_total",
    "Utterances for which a second address of remote was asked, by whose answer counted (first, second)",
    ["answered"],
)
REMOTE_UP = Gauge(
    "irene_remote_up",
    "1: an address of remote answers; 0: it is left alone. Addresses are numbered as configured, from 1",
    ["address"],
    multiprocess_mode="livemax",
)

# Providers, wake and speech-to-text
MODEL_FETCHED = Gauge(
    "irene_model_fetched_ratio",
    "How much of a model that was missing has been fetched, 0 to 1",
    ["engine", "model"],
    multiprocess_mode="livemax",
)
PROVIDER_UP = Gauge(
    "irene_provider_up",
    "1: in use; 0: not loadable, or left alone after failures",
    ["kind", "provider"],
    multiprocess_mode="livemax",
)
PROVIDER_FAILURES = Counter(
    "irene_provider_failures_total", "Failures of a provider, by error code", ["kind", "provider", "code"]
)
PROVIDER_FALLBACKS = Counter(
    "irene_provider_fallbacks_total", "Work that went to another provider than the first", ["kind", "provider"]
)

ENGINE_LOADED = Gauge(
    "irene_engine_loaded",
    "1: a speech-to-text engine that loads at need holds its model; 0: it has let it go",
    ["provider"],
    multiprocess_mode="livemax",
)
ENGINE_LOAD_SECONDS = Histogram(
    "irene_engine_load_seconds", "Loading a speech-to-text engine at need", ["provider"], buckets=FELT
)

# Capture
CAPTURE_OPENED = Counter("irene_capture_opened_total", "Times that the sound source was opened")
CAPTURE_BROKEN = Counter("irene_capture_broken_total", "Times that the sound source broke while it was open")
CAPTURE_OVERRUNS = Counter("irene_capture_overruns_total", "Gaps in what the sound source delivered")
