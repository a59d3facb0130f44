# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/watchkeeper
COPY requirements.txt ./
RUN /opt/watchkeeper/bin/python -m pip install --quiet --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY detectors detectors
COPY streams streams
COPY dashboards dashboards
RUN /opt/watchkeeper/bin/python -m pip install --quiet --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /tmp watchkeeper \
    && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=build /opt/watchkeeper /opt/watchkeeper
ENV PATH=/opt/watchkeeper/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
ENTRYPOINT ["watchkeeper"]
