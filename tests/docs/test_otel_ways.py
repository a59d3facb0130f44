"""The pages about OpenTelemetry: the program runs as it stands, the Collector's settings fit our topics."""

import os
import re
import subprocess

import pytest
import yaml

from schemas.topics import OTLP_LOGS, OTLP_SPANS
from streams.receiver.body import MOST_BYTES, MOST_INFLATED_BYTES, MOST_JSON_BYTES
from streams.settings import Settings
from tests.docs.pages import PAGES, blocks
from tests.real.clients.environment import clients_python
from tests.real.clients.provider import USAGE, provider
from tests.streams.normalise.test_clients import events_of, watched
from tests.support.waiting import PATIENCE_SECONDS, wait_until

__all__ = ["watched"]

SDK, COLLECTOR = PAGES["docs/way-otel-sdk.md"], PAGES["docs/way-collector.md"]


@pytest.mark.faults
def test_the_program_of_the_page_is_watched(watched):
    """With the two variables of the page, at the receiver's address, its call has model, tokens, session and user."""
    [variables], [program] = blocks(SDK, "sh"), blocks(SDK, "python")
    said = dict(re.findall(r"export (\w+)=(\S+)", variables))
    port = Settings.model_fields["otlp_port"].default
    assert said["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://127.0.0.1:{port}"
    said["OTEL_EXPORTER_OTLP_ENDPOINT"] = watched.url
    with provider() as address:
        own = {"OPENAI_BASE_URL": f"{address}/v1", "OPENAI_API_KEY": "none", "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(
            [clients_python(), "-c", program], env=os.environ | said | own, capture_output=True, text=True,
            timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "The answer to plain.\n"
    wait_until(lambda: events_of(watched.settings, said["OTEL_SERVICE_NAME"]))
    [event] = events_of(watched.settings, said["OTEL_SERVICE_NAME"])
    assert (event.usage_input_tokens, event.usage_output_tokens) == USAGE["plain"]
    assert (event.request_model, event.session_id, event.user_pseudo_id) == ("gpt-4o", "s-1", "u-1")


def test_the_limits_of_the_page_are_those_of_the_receiver():
    """Bytes as they travel, inflated and of JSON."""
    mib = [f"{most // 2**20} MiB" for most in (MOST_BYTES, MOST_INFLATED_BYTES, MOST_JSON_BYTES)]
    assert f"{mib[0]} as it travels, {mib[1]} inflated, JSON {mib[2]}" in SDK


def test_the_collectors_configuration_fits_our_topics():
    """Topics, encodings and record sizes are ours, traces and logs meet, and every pipeline names what is declared."""
    [block] = blocks(COLLECTOR, "yaml")
    found = yaml.safe_load(block)
    kafka = found["exporters"]["kafka"]
    assert (kafka["traces"]["topic"], kafka["logs"]["topic"]) == (OTLP_SPANS.name, OTLP_LOGS.name)
    assert {kafka[name]["encoding"] for name in ("traces", "logs")} == {"otlp_proto"}
    assert kafka["partition_traces_by_id"] is kafka["partition_logs_by_trace_id"] is True
    assert kafka["producer"]["max_message_bytes"] <= min(OTLP_SPANS.max_message_bytes, OTLP_LOGS.max_message_bytes)
    assert kafka["producer"]["required_acks"] == -1
    assert kafka["brokers"] == [Settings.model_fields["kafka"].default]
    for pipeline in found["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= set(found[kind])
