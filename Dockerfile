# Lookalike in a container. For the far smaller CPU-only torch, pass the address of PyTorch's own CPU
# wheel index (the "Get started" page of pytorch.org shows it) when building:
#   docker build --build-arg PIP_EXTRA_INDEX_URL=<that address> -t lookalike .

FROM python:3.11-slim-bookworm AS build
ARG PIP_EXTRA_INDEX_URL=""
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build
RUN python -m venv /opt/lookalike
# What the project needs comes in a layer of its own, so a change of the code does not download it again.
COPY pyproject.toml constraints.txt ./
RUN python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; o = p["optional-dependencies"]; print(*p["dependencies"], *o["multilingual"], *o["postgres"], sep="\n")' > requirements.txt \
    && /opt/lookalike/bin/pip install --no-cache-dir -c constraints.txt -r requirements.txt
COPY README.md LICENSE ./
COPY data data
COPY engine engine
COPY bot bot
RUN /opt/lookalike/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim-bookworm
# Model weights are cached in the volume beside the library: downloaded once, kept through updates.
ENV PATH=/opt/lookalike/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    HF_HOME=/data/models \
    ANONYMIZED_TELEMETRY=False
RUN useradd --create-home --uid 1000 lookalike \
    && mkdir /data \
    && chown lookalike:lookalike /data
COPY --from=build /opt/lookalike /opt/lookalike
USER 1000
WORKDIR /home/lookalike
VOLUME /data
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["lookalike", "bot", "--health"]
ENTRYPOINT ["lookalike"]
CMD ["bot"]
