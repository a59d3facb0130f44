"""Kong's, APISIX's and AgentMesh's own JSON, as their documentation shows it."""

from streams.dialects.registry import dialect_of

KONG = {
    "started_at": 1770000000123, "client_ip": "10.0.0.1", "upstream_status": 200,
    "request": {"id": "9ec9", "uri": "/v1/chat/completions", "headers": {"authorization": "REDACTED"}},
    "response": {"status": 200}, "latencies": {"request": 2700, "kong": 3, "proxy": 2690},
    "service": {"name": "assistant"}, "consumer": {"username": "shop"},
    "ai": {"proxy": {
        "meta": {"provider_name": "openai", "request_model": "gpt-4o", "response_model": "gpt-4o-2024-08-06",
                 "llm_latency": 2670, "request_mode": "oneshot"},
        "usage": {"prompt_tokens": 28, "completion_tokens": 20, "total_tokens": 48, "cost": 0.0038,
                  "time_to_first_token": 631, "prompt_tokens_details": {"cached_tokens": 8}},
        "payload": {"response": "text of a person"},
    }},
}  # fmt: skip
LAKERA = {
    "input_processing_latency": 72, "input_block_reason": "prompt_attack",
    "input_block_detail": [{"detector_type": "prompt_attack", "detected": True}],
}  # fmt: skip
MESH = {
    "specversion": "1.0", "id": "e-1", "source": "did:mesh:agent-abc123", "time": "2026-02-03T12:00:00.000Z",
    "type": "ai.agentmesh.policy.violation", "subject": "tool:shell:execute",
}  # fmt: skip


def made(record):
    """Return the dialect that knows a record, its only event and the whole translation."""
    dialect = dialect_of(record)
    translation = dialect.translate(record)
    [event] = translation.events
    return dialect.name, event, translation


def with_plugin(name, said, status):
    proxy = KONG["ai"]["proxy"] | {name: said}
    return KONG | {"ai": {"proxy": proxy}, "response": {"status": status}}


def test_kongs_milliseconds_and_names_are_ours():
    """Times are milliseconds there, the service is Kong's service, and payloads stay behind."""
    name, event, translation = made(KONG)
    assert (name, event["service_name"], event["tenant_id"]) == ("kong", "assistant", "shop")
    assert event["time_unix_nano"] == 1_770_000_000_123_000_000
    assert (event["duration_ms"], event["time_to_first_chunk_ms"]) == (2670.0, 631.0)
    assert (event["usage_input_tokens"], event["usage_output_tokens"], event["cost_usd"]) == (28, 20, 0.0038)
    assert (event["operation_name"], event["response_model"]) == ("chat", "gpt-4o-2024-08-06")
    assert "ai.proxy.payload" in translation.dropped


def test_kongs_older_log_has_other_spellings():
    """Before 3.8 each plugin stood under its own name and a count was singular."""
    meta = {"request_model": "command", "provider_name": "cohere"}
    old = {"meta": meta, "usage": {"prompt_token": 28, "completion_token": 20}}
    _, event, _ = made(KONG | {"ai": {"ai-proxy": old}})
    assert (event["usage_input_tokens"], event["usage_output_tokens"], event["provider_name"]) == (28, 20, "cohere")


def test_a_guard_that_kong_asked_blocks_by_its_reason_alone():
    """With a reason it blocked, whatever the HTTP status; without one its opinion is not in the log, and it is said."""
    _, blocked, _ = made(with_plugin("lakera-guard", LAKERA, 400))
    assert (blocked["outcome"], blocked["reached_user"]) == ("blocked", False)
    assert not {"error_type", "response_model"} & set(blocked)
    assert [(guard["layer"], guard["action"]) for guard in blocked["guards"]] == [("input", "blocked")]
    _, passed, translation = made(with_plugin("aws-guardrails", {"output_processing_latency": 30}, 200))
    assert [(guard["layer"], guard["verdict"]) for guard in passed["guards"]] == [("output", "unknown")]
    assert "aws-guardrails" in translation.warnings[0]


def test_a_failed_request_through_kong_is_an_error_of_no_model():
    """The status is the error; a model that did not answer is not named as the one that did."""
    _, event, _ = made(KONG | {"response": {"status": 503}})
    assert (event["outcome"], event["error_type"], event.get("response_model")) == ("error", "503", None)


def test_apisix_tells_tokens_in_its_summary():
    """Its times are milliseconds, and its summary has tokens by their plain names."""
    record = {
        "start_time": 1770000000123, "route_id": "1", "service_id": "assistant", "response": {"status": 200},
        "llm_summary": {"model": "gpt-4o", "prompt_tokens": 5, "completion_tokens": 7, "upstream_response_time": 800},
        "llm_request": {"messages": []},
    }  # fmt: skip
    name, event, _ = made(record)
    assert (name, event["usage_input_tokens"], event["usage_output_tokens"]) == ("apisix", 5, 7)
    assert (event["duration_ms"], event["outcome"], event["service_name"]) == (800.0, "completed", "assistant")


def test_a_policy_that_blocked_a_tool_is_a_denied_step():
    """The step has its guard's block with the policy's id and severity; what was to be run stays behind."""
    data = {
        "trace_id": "t", "agent_id": "agent-abc123", "agent_name": "CustomerServiceBot", "tool_name": "shell:execute",
        "tool_args": {"command": "rm -rf /", "args_hash": "sha256:abc"}, "policy_id": "no-destructive",
        "severity": "critical", "action_taken": "blocked", "violation_reason": "matches rm -rf",
    }  # fmt: skip
    name, event, translation = made(MESH | {"data": data})
    assert (name, event["event_type"], event["authorization"]) == ("cloudevents", "ai.safety.agent_step.v1", "denied")
    assert (event["service_name"], event["args_hash"]) == ("CustomerServiceBot", "sha256:abc")
    [guard] = event["guards"]
    assert (guard["verdict"], guard["action"], guard["findings"][0]["severity"]) == ("block", "blocked", 4)
    assert "rm -rf" not in str(event)
    assert "tool_args.command" in translation.dropped


def test_a_tool_that_ran_is_a_step_with_its_time():
    """Its milliseconds are milliseconds, and the policy that allowed it approved."""
    data = {"agent_id": "a", "tool_name": "database:query", "execution_time_ms": 45.2, "policy_verdict": "allowed"}
    _, event, _ = made(MESH | {"type": "ai.agentmesh.tool.invoked", "data": data})
    assert (event["duration_ms"], event["authorization"], event["status"]) == (45.2, "allowed", "ok")


def test_times_without_a_zone_are_utc_and_said_so():
    """A time that says no zone is taken for UTC, with a warning."""
    _, event, translation = made(MESH | {"time": "2026-02-03T12:00:00", "data": {"tool_name": "t"}})
    _, zoned, _ = made(MESH | {"data": {"tool_name": "t"}})
    assert event["time_unix_nano"] == zoned["time_unix_nano"] == 1_770_120_000_000_000_000
    assert "no zone" in translation.warnings[0]


def test_an_event_of_ours_in_an_envelope_is_opened():
    """A CloudEvent whose type is of the contract carries a canonical event, its id and source outside."""
    data = {"time_unix_nano": 1_770_000_000_000_000_000, "service_name": "a"}
    _, event, _ = made(MESH | {"type": "ai.safety.telemetry.v1", "data": data})
    assert (event["event_id"], event["event_type"]) == ("e-1", "ai.safety.telemetry.v1")


def test_other_cloudevents_make_no_event_and_say_so():
    """A handshake is neither call, nor step, nor verdict."""
    translation = dialect_of(MESH).translate(MESH | {"type": "ai.agentmesh.trust.handshake", "data": {"a": 1}})
    assert translation.events == ()
    assert "handshake" in translation.warnings[0]
