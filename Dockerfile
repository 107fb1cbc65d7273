# One image for `docker run`, compose and Home Assistant's add-on, for amd64 and aarch64.
#
# The wake word engines' wheels need glibc 2.35: Debian 12 (bookworm) or newer, never Alpine. The argument is not called
# BUILD_FROM, which older Supervisors set to an Alpine image. A tag can move: .github/workflows/release.yml looks up its
# digest, builds with that, and writes it into the image's labels.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

# ---------------------------------------------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS build

# Further extras of pyproject.toml, e.g. `--build-arg EXTRAS=google,webrtc`. They are not locked.
ARG EXTRAS=

RUN python -m venv /opt/irene
WORKDIR /src
COPY requirements.lock ./
# Wheels only: an image that compiled something would need the libraries that it was compiled against. srt, which vosk
# asks for, is one Python file without a wheel; what makes one of it is locked, too, and comes first.
RUN sed -n '/^setuptools==/,/[^\\]$/p' requirements.lock > build.lock \
    && pip="/opt/irene/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all:" \
    && $pip -r build.lock \
    && $pip --no-binary srt --no-build-isolation --use-pep517 -r requirements.lock
COPY pyproject.toml README.md LICENSE LICENCES.md ./
COPY irene_wyoming irene_wyoming
RUN pip="/opt/irene/bin/pip install --no-cache-dir --no-build-isolation" \
    && $pip --no-deps . \
    && if [ -n "$EXTRAS" ]; then $pip --only-binary :all: ".[$EXTRAS]"; fi \
    && /opt/irene/bin/pip uninstall --yes pip setuptools
COPY addon/slim ./
RUN apt-get update && apt-get install --yes --no-install-recommends binutils && ./slim /opt/irene

# ---------------------------------------------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS whole

# What microphones need: PortAudio, PulseAudio's parec and pactl, ALSA's arecord. Vosk needs libatomic on aarch64.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends alsa-utils libatomic1 libportaudio2 pulseaudio-utils \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && useradd --system --user-group --groups audio --create-home --shell /usr/sbin/nologin irene \
    && install --directory --owner irene --group irene /data

COPY --from=build /opt/irene /opt/irene
COPY LICENSE LICENCES.md /usr/share/doc/irene-wyoming/
COPY addon/start addon/healthy /usr/local/bin/
COPY addon/bare addon/compile.py /tmp/
RUN /tmp/bare && /opt/irene/bin/python /tmp/compile.py && rm /tmp/bare /tmp/compile.py

# ---------------------------------------------------------------------------------------------------------------------
# One layer: what a later layer takes out of an earlier one is downloaded all the same.
FROM scratch
COPY --from=whole / /

ENV PATH=/opt/irene/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    IRENE_WYOMING__DATA_DIR=/data

# wake words, speech-to-text, microphone, all of them at one address
EXPOSE 10400 10300 10600 10700

# Each takes some hundredths of a second. Loading models takes seconds, on a Raspberry Pi up to half a minute.
HEALTHCHECK --interval=20s --timeout=5s --start-period=60s --retries=3 CMD ["healthy"]

# It starts as root only to read what the Supervisor lets root alone read, and goes on as the user irene. A SIGTERM that
# comes before the program can tell of it waits until then: the program takes it for an order to stop, and ends with 0.
ENTRYPOINT ["env", "--block-signal=TERM", "start"]
CMD ["run"]

ARG BUILD_VERSION=0.2.0
ARG BUILD_ARCH=aarch64|amd64
LABEL io.hass.type="app" \
      io.hass.name="Irene Wyoming" \
      io.hass.version="${BUILD_VERSION}" \
      io.hass.arch="${BUILD_ARCH}" \
      org.opencontainers.image.title="Irene Wyoming" \
      org.opencontainers.image.description="Wake word, speech-to-text and microphone servers that speak the Wyoming protocol" \
      org.opencontainers.image.licenses="Apache-2.0 AND 0BSD AND BSD-2-Clause AND BSD-3-Clause AND CC-BY-NC-SA-4.0 AND CC0-1.0 AND LGPL-2.1-or-later AND MIT AND MIT-0 AND MPL-2.0 AND PSF-2.0 AND Zlib" \
      org.opencontainers.image.version="${BUILD_VERSION}"
