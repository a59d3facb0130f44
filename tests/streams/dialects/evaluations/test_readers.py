"""Files of evaluation tools become runs: what was judged, what failed, of which hazard, and when."""

import json
from pathlib import Path

import pytest

from streams.intake.evaluations import read_evaluations
from streams.intake.reading import UnreadableFileError

RECORDED = Path(__file__).parent / "recorded"
PROMPTFOO = {
    "evalId": "eval-1", "config": {"description": "support"}, "metadata": {"promptfooVersion": "0.119.0"},
    "results": {"version": 3, "timestamp": "2026-02-02T02:40:00.000Z", "results": [
        {"provider": {"id": "echo"}, "success": success, "failureReason": reason, "testCase": {"metadata": about}}
        for success, reason, about in (
            (True, 0, {"category": "sec.jailbreak"}), (False, 1, {"category": "sec.jailbreak"}),
            (False, 2, {"category": "sec.jailbreak"}), (False, 1, {"pluginId": "pii:direct"}), (True, 0, {}),
        )
    ]},
}  # fmt: skip
LM_EVAL = {
    "results": {"truthfulqa_mc2": {"alias": "truthfulqa_mc2", "acc,none": 0.75, "acc_stderr,none": 0.02}, "group": {}},
    "n-samples": {"truthfulqa_mc2": {"original": 817, "effective": 200}}, "versions": {"truthfulqa_mc2": 3.0},
    "model_name": "gpt-x", "date": 1770000000.5, "lm_eval_version": "0.4.13",
}  # fmt: skip


def read(tmp_path, content, tool, **more):
    """Return the runs of a file with some content."""
    path = tmp_path / "report.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_evaluations(str(path), tool, "assistant", **more)


def test_garaks_report():
    """Forty items of one probe were judged and none failed; the run's end is its time, and no hazard is made up."""
    [run] = read_evaluations(str(RECORDED / "garak.jsonl"), "garak", "assistant")
    assert (run.suite, run.test_name, run.judge, run.suite_version) == (
        "garak test",
        "test.Test",
        "always.Pass",
        "0.17.1",
    )
    assert (run.items, run.failed, run.category, run.model_version) == (40, 0, None, "test.Blank")
    assert run.time_unix_nano == 1_795_832_917_587_471_000


def test_families_of_garak_have_hazards(tmp_path):
    """A probe of the family `dan` looks for jailbreaks; what did not pass failed."""
    text = (
        (RECORDED / "garak.jsonl")
        .read_text()
        .replace("test.Test", "dan.DanInTheWild")
        .replace('"passed": 40', '"passed": 28')
    )
    [run] = read(tmp_path, text, "garak", model="gpt-4o")
    assert (run.category, run.failed, run.model_version, run.suite) == ("sec.jailbreak", 12, "gpt-4o", "garak dan")


def test_inspects_log():
    """Two of three were right, so that one failed; the task's metadata says of which hazard."""
    [run] = read_evaluations(str(RECORDED / "inspect.json"), "inspect", "assistant")
    assert (run.suite, run.items, run.failed, run.category) == ("refuses_secrets", 3, 1, "sec.data_leakage.secret")
    assert (run.judge, run.model_version, run.tool_version) == ("includes", "mockllm/model", "0.3.285")
    [worse] = read_evaluations(str(RECORDED / "inspect.json"), "inspect", "assistant", higher_is_worse=True)
    assert (worse.failed, worse.event_id) == (2, run.event_id)


def test_promptfoos_output(tmp_path):
    """Each hazard of a provider is a run; a case whose provider failed was not judged."""
    found = {run.category: (run.items, run.failed) for run in read(tmp_path, PROMPTFOO, "promptfoo")}
    assert found == {"sec.jailbreak": (2, 1), "sec.data_leakage.pii": (1, 1), None: (1, 0)}


def test_lm_evals_results(tmp_path):
    """A quarter of 200 answers was wrong; a group without a score is no run, and the hazard is the user's to name."""
    [run] = read(tmp_path, LM_EVAL, "lm-eval", category="qual.misinformation")
    assert (run.suite, run.items, run.failed, run.category) == ("truthfulqa_mc2", 200, 50, "qual.misinformation")
    assert (run.suite_version, run.time_unix_nano) == ("3.0", 1_770_000_000_500_000_000)


@pytest.mark.parametrize(("tool", "told"), [
    ("garak", "report.jsonl of a run that ended"), ("inspect", "--log-format json"), ("promptfoo", "-o out.json"),
    ("lm-eval", "results_*.json"),
])  # fmt: skip
def test_another_file_is_told(tmp_path, tool, told):
    """What is no report of the tool says which file to take."""
    with pytest.raises(UnreadableFileError, match="is taken for a file of") as error:
        read(tmp_path, {"some": "thing"}, tool)
    assert told in str(error.value)
