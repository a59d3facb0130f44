"""Guards that are models, and say what they think in words: Llama Guard, Granite Guardian, LlamaFirewall."""

import pytest

from schemas import vendors


@pytest.mark.parametrize(
    ("text", "status", "verdict", "codes"),
    [
        ("safe", "ok", "allow", []),
        ("\n\nunsafe\nS1,S10", "ok", "flag", ["content.vcr", "content.hte"]),
        ("unsafe\nS13, S14", "ok", "flag", ["content.spc_ele", "sec.code_exec"]),
        ("unsafe", "ok", "flag", []),
        ("I think that this is fine.", "error", None, []),
        ("", "error", None, []),
    ],
)
def test_llama_guard_writes_text(text, status, verdict, codes):
    """Codes become ours and stay beside them under the taxonomy of their generation; prose is a guard that failed."""
    [result] = vendors.guards_from_llama_guard({"output": text}, generation=3)
    assert (result.status, result.verdict) == (status, verdict)
    assert [found.category for found in result.findings or []] == codes
    assert {found.native_taxonomy for found in result.findings or []} <= {"llama_guard_3"}


def test_a_models_text_is_found_where_servers_put_it():
    """Alone, of a pipeline of transformers, of a server with the interface of OpenAI."""
    told = ["unsafe\nS1", [{"generated_text": "unsafe\nS1"}], {"choices": [{"message": {"content": "unsafe\nS1"}}]},
            {"choices": [{"text": "unsafe\nS1"}]}, {"response": "unsafe\nS1"}]  # fmt: skip
    assert len({repr(vendors.guards_from_llama_guard(one)) for one in told}) == 1


@pytest.mark.parametrize(
    ("text", "status", "verdict"),
    [
        ("No", "ok", "allow"),
        ("Yes", "ok", "flag"),
        ("No\n<confidence> Low </confidence>", "ok", "allow"),
        ("<think>It says yes</think>\n<score> no </score>", "ok", "allow"),
        ("Perhaps", "error", None),
    ],
)
def test_granite_guardian_answers_yes_or_no(text, status, verdict):
    """A yes inside its thoughts is none; anything else is a guard that failed."""
    [result] = vendors.guards_from_granite_guardian(text, risk="violence")
    assert (result.status, result.verdict) == (status, verdict)


@pytest.mark.parametrize(
    ("scan", "right"),
    [
        ({"decision": "allow", "score": 0.0, "status": "success", "reason": "default"}, ("ok", "allow", "none")),
        (
            {"decision": "allow", "score": 0.0, "status": "success",
             "reason": "ScannerType.REGEX: No regex patterns matched - score: 0.0; broken: an error - score: 0.0"},
            ("partial", "allow", "none"),
        ),
        (
            {"decision": "allow", "score": 0.0, "status": "success", "reason": "scanner error: backend unreachable"},
            ("error", None, None),
        ),
        ({"decision": "allow", "score": 0.0, "status": "skipped", "reason": ""}, ("skipped", None, None)),
        (
            {"decision": "human_in_the_loop_required", "score": 0.81, "status": "success", "reason": "needs review"},
            ("ok", "escalate", "unknown"),
        ),
    ],
)  # fmt: skip
def test_llamafirewalls_success_is_not_taken_at_its_word(scan, right):
    """A scanner that failed lets through and says success; beside one that found nothing it ran in part."""
    [result] = vendors.guards_from_llamafirewall(scan, role="assistant")
    assert (result.layer, result.status, result.verdict, result.action) == ("output", *right)


@pytest.mark.parametrize(
    ("scanner", "reason", "codes"),
    [
        ("regex", "Regex match: Prompt injection", ["sec.prompt_injection.direct"]),
        ("regex", "Regex match: Credit card", ["sec.data_leakage.pii"]),
        ("regex", "Regex match: our own rule", ["qual.custom_rule"]),
        ("hidden_ascii", "Hidden text", ["sec.prompt_injection.direct"]),
        (None, "Regex match: Email address", ["sec.data_leakage.pii"]),
        (None, "something", []),
        (
            None,
            "ScannerType.REGEX: No regex patterns matched - score: 0.0; ScannerType.PROMPT_GUARD: attack - score: 0.97",
            ["sec.jailbreak"],
        ),
    ],
)
def test_llamafirewalls_sentence_names_what_was_found(scanner, reason, codes):
    """By the scanner, by the name of its pattern, or by the parts of several scanners that scored."""
    scan = {"decision": "block", "score": 1.0, "status": "success", "reason": reason}
    [result] = vendors.guards_from_llamafirewall(scan, scanner=scanner, action="blocked")
    assert [found.category for found in result.findings or []] == codes
    assert (result.verdict, result.action) == ("block", "blocked")
