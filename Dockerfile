FROM python:3.12-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/watchkeeper && /opt/watchkeeper/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.12-slim
COPY --from=build /opt/watchkeeper /opt/watchkeeper
ENV PATH=/opt/watchkeeper/bin:$PATH
USER 10001
ENTRYPOINT ["watchkeeper"]
