"""The pages of the ways in: every snippet runs, and what they say of a record is what becomes of it."""

import json
from types import SimpleNamespace

import pytest
import yaml
from openai import BadRequestError, OpenAI
from typer.testing import CliRunner

from schemas.emitter import Emitter
from streams.commands.main import app
from streams.dialects.evaluations import READERS
from streams.dialects.registry import DIALECTS
from streams.receiver.app import Receiver, receiver_app
from streams.settings import Settings
from tests.docs.pages import PAGES, blocks
from tests.docs.provider import completion, provider

WAYS = {name: text for name, text in PAGES.items() if name.startswith("docs/way-")}
RECORDS = [(name, block) for name, text in sorted(WAYS.items()) for block in blocks(text, "json")]
CONVERSE = {
    "stopReason": "guardrail_intervened", "usage": {"inputTokens": 5, "outputTokens": 2, "cacheReadInputTokens": 90},
    "metrics": {"latencyMs": 120}, "trace": {"guardrail": {"outputAssessments": {"gr": [{"contentPolicy": {"filters": [
        {"type": "VIOLENCE", "confidence": "HIGH", "action": "BLOCKED", "detected": True}]}}]}}},
}  # fmt: skip
FILTERS = {"violence": {"filtered": False, "severity": "medium"}, "hate": {"filtered": False, "severity": "safe"}}


def snippet(page):
    """Return what the Python of a page defines."""
    defined = {}
    [block] = blocks(PAGES[page], "python")
    exec(compile(block, page, "exec"), defined)  # noqa: S102  it is a page of our own
    return defined


class Sent:
    """Events of a real emitter, as they would travel."""

    def __init__(self):
        self.values = []
        self.emitter = Emitter(lambda _key, value, _headers: self.values.append(value), source="test")

    def events(self):
        """Return them, after all have been sent."""
        self.emitter.close(10)
        assert not self.emitter.counts.refused
        return [json.loads(value) for value in self.values]


def test_the_emitters_page_sends_calls_and_failures():
    """A call has its model, tokens and verdict; one that failed has an error and no model that answered."""
    answer, sent = snippet("docs/way-emitter.md")["answer"], Sent()
    reply = SimpleNamespace(model="m-1", input_tokens=3, output_tokens=4, text="yes", stop_reason="end_turn")

    def late(_):
        raise TimeoutError

    assert answer(sent.emitter, SimpleNamespace(name="m", ask=lambda _: reply), "s1", "?") == "yes"
    with pytest.raises(TimeoutError):
        answer(sent.emitter, SimpleNamespace(name="m", ask=late), "s1", "?")
    good, bad = sent.events()
    assert (good["response_model"], good["usage_output_tokens"], good["guards"][0]["verdict"]) == ("m-1", 4, "allow")
    assert (good["outcome"], good["finish_reason_norm"], good["duration_ms"] >= 0) == ("completed", "stop", True)
    assert (bad["outcome"], bad["error_type"], bad.get("response_model")) == ("error", "TimeoutError", None)


def test_bedrocks_page_sends_what_the_guardrail_said():
    """A block of the output with its finding, and tokens that include the cached ones."""
    converse, sent = snippet("docs/way-bedrock.md")["converse"], Sent()
    converse(SimpleNamespace(converse=lambda **_: CONVERSE), sent.emitter, "s1", modelId="us.anthropic.claude")
    [event] = sent.events()
    assert (event["outcome"], event["usage_input_tokens"], event["duration_ms"]) == ("blocked", 95, 120.0)
    assert [(one["layer"], one["action"]) for one in event["guards"]] == [("output", "blocked")]
    assert event["guards"][0]["findings"][0]["category"] == "content.vcr"


@pytest.mark.kafka
def test_azures_page_sends_annotations_and_filtered_prompts():
    """Against the API itself: an answer with a medium annotation, and a prompt that the filter refused."""
    complete, sent = snippet("docs/way-azure.md")["complete"], Sent()
    whole = completion(1, "gpt-4o", "text") | {"usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}
    whole["choices"][0]["content_filter_results"] = FILTERS
    inner = {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": {"violence": {"filtered": True, "severity": "high"}},
    }
    refused = {"error": {"message": "m", "code": "content_filter", "innererror": inner}}
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "?"}]}
    with provider([(200, whole), (400, refused)]) as address:
        client = OpenAI(base_url=address, api_key="none", max_retries=0)
        complete(client, sent.emitter, "s1", **request)
        with pytest.raises(BadRequestError):
            complete(client, sent.emitter, "s1", **request)
    good, bad = sent.events()
    assert [(one["verdict"], one["action"], one["findings"][0]["severity"]) for one in good["guards"]] == [
        ("flag", "annotated", 2)
    ]
    assert (bad["outcome"], bad["guards"][0]["layer"], bad["guards"][0]["verdict"]) == ("filtered", "input", "block")
    assert "error_type" not in bad


@pytest.mark.parametrize(("page", "record"), RECORDS, ids=[name for name, _ in RECORDS])
def test_a_record_of_a_page_is_explained(page, record, tmp_path):
    """It is taken for what the page says, and counts without a warning."""
    (tmp_path / "record.json").write_text(record)
    done = CliRunner().invoke(app, ["explain", str(tmp_path / "record.json"), "--json"])
    assert done.exit_code == 0, done.output
    [found] = [json.loads(line) for line in done.stdout.splitlines()]
    dialect = {"docs/way-litellm.md": "litellm", "docs/way-bedrock.md": "bedrock", "docs/way-files.md": "langsmith"}
    assert (found["dialect"], found["warnings"]) == (dialect[page], [])
    assert found["counted"][0]["refused"] is None


def test_the_record_of_litellms_page_is_a_block_and_no_error(tmp_path):
    """As the page says: the guard that LiteLLM calls a success blocked a jailbreak in the input."""
    (tmp_path / "record.json").write_text(blocks(PAGES["docs/way-litellm.md"], "json")[0])
    done = CliRunner().invoke(app, ["explain", str(tmp_path / "record.json"), "--json"])
    [event], [counted] = (json.loads(done.stdout)[name] for name in ("events", "counted"))
    assert (event["outcome"], event["session_id"], "error_type" in event) == ("blocked", "sess-abc-1", False)
    assert "injection_flag" in counted["flagged"]
    assert "error" not in counted["flagged"]


def test_litellms_configuration_is_yaml():
    """It posts to a path that the receiver has, by a callback that is set up, in a format that is taken."""
    [block] = blocks(PAGES["docs/way-litellm.md"], "yaml")
    told = yaml.safe_load(block)
    [name] = told["litellm_settings"]["callbacks"]
    logger = told["callback_settings"][name]
    assert (logger["callback_type"], logger["log_format"]) == ("generic_api", "json_array")
    path = logger["endpoint"].removeprefix(f"http://127.0.0.1:{Settings().otlp_port}")
    assert path in {route.path for route in receiver_app(Settings(), Receiver(Settings(), None), lambda: True).routes}


def test_the_page_of_files_lists_every_dialect():
    """None is missing, and none is made up."""
    rows = [line.split("|")[1] for line in PAGES["docs/way-files.md"].splitlines() if line.startswith("| `")]
    named = {name.strip().strip("`") for row in rows for name in row.split(",")}
    assert named == {dialect.name for dialect in DIALECTS} | {*READERS}
