"""Azure: annotations and refusals of Azure OpenAI, Content Safety, and Prompt Shields."""

from collections.abc import Iterator
from typing import Any, Final, Unpack

from ...guards import GuardResult
from ..reading import Node
from ..results import FLAG, Given, Judged, failed, finding, guard_results
from ..words import Opinion, table

BLOCKED: Final = Opinion("block", "blocked")
ANNOTATED: Final = Opinion("flag", "annotated")
MASKED: Final = Opinion("redact", "redacted")
_TABLE: Final = table("azure")
_FILTER: Final = "azure-content-filter"
_CODES: Final = ("content_filter", "ResponsibleAIPolicyViolation")


def guards_from_azure_openai(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what the content filter of Azure OpenAI said of prompts and answers.

    Parameters
    ----------
    response
        A chat completion, a response, or the body of an error 400, as they came. Without annotations no guard is
        known to have run, and the list is empty.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape than Azure's.

    Examples
    --------
    >>> filters = {"violence": {"filtered": False, "severity": "medium"}, "hate": {"severity": "safe"}}
    >>> [result] = guards_from_azure_openai({"choices": [{"content_filter_results": filters}]})
    >>> result.layer, result.action, [found.category for found in result.findings]
    ('output', 'annotated', ['content.vcr'])
    """
    root = Node(response, "azure_openai")
    results = _refused(root.get("error") or root, given)
    for prompt in root.get("prompt_filter_results").items():
        results += _filtered(prompt.get("content_filter_results"), "input", given)
    for choice in root.get("choices").items():
        found = _filtered(choice.get("content_filter_results", "content_filter_result"), "output", given)
        if choice.get("finish_reason").word() == "content_filter" and not _blocks(found):
            found += _result([Judged(BLOCKED)], "output", given, native="content_filter")
        results += found
    for item in root.get("content_filters").items():
        layer = "input" if item.get("source_type").word() == "prompt" else "output"
        found = _filtered(item.get("content_filter_results"), layer, given)
        if item.get("blocked").flag() and not _blocks(found):
            found += _result([Judged(BLOCKED)], layer, given, native="blocked")
        results += found
    return results


def _blocks(results: list[GuardResult]) -> bool:
    return any(result.verdict == "block" for result in results)


def _refused(error: Node, given: Given) -> list[GuardResult]:
    """Return what an error says that is an answer of the filter; nothing of any other error."""
    inner = error.get("innererror")
    if error.get("code").word() not in _CODES and inner.get("code").word() not in _CODES:
        return []
    found = _filtered(inner.get("content_filter_result", "content_filter_results"), "input", given)
    return found if _blocks(found) else found + _result([Judged(BLOCKED)], "input", given, native="content_filter")


def _filtered(annotations: Node, layer: str, given: Given) -> list[GuardResult]:
    """Return the results of one set of annotations: by action, partial where a filter failed."""
    if not annotations:
        return []
    items = annotations.fields()
    broken = bool(items.pop("error", None))
    broken |= any(item.get("error") for item in items.values() if isinstance(item.value, dict))
    judged = [one for name, item in items.items() for one in _annotation(name[:256], item)]
    if broken and not items:
        return failed(_TABLE, given, guard_name=_FILTER, layer=layer, native_result_value="content_filter_error")
    return _result(judged, layer, given, status="partial" if broken else "ok")


def _annotation(name: str, item: Node) -> Iterator[Judged]:
    """Yield what one filter found: by severity, by `detected`, or by the entries of block lists."""
    if isinstance(item.value, list):
        for entry in item.items():
            opinion = BLOCKED if entry.get("filtered").flag() else None
            if opinion:
                yield Judged(opinion, finding(_TABLE, "azure_openai", name, entry.get("id").word()))
        return
    word = item.get("severity").word()
    severity = _TABLE.severity("azure_openai", word)
    detected = item.get("detected").flag() or bool(severity) or (word is not None and severity is None)
    if not item.get("filtered").flag() and not detected:
        return
    opinion = BLOCKED if item.get("filtered").flag() else MASKED if item.get("redacted").flag() else ANNOTATED
    kind = None if word is None else "severity"
    found = finding(_TABLE, "azure_openai", name, severity=severity, score_bucket=word, score_kind=kind)
    yield Judged(opinion, found)


def _result(
    judged: list[Judged], layer: str, given: Given, *, status: str = "ok", native: str | None = None
) -> list[GuardResult]:
    return guard_results(
        _TABLE, judged, given, guard_name=_FILTER, guard_provider="azure.ai.openai", layer=layer, status=status,
        native_result_type=native and "finish_reason", native_result_value=native,
    )  # fmt: skip


def guards_from_azure_content_safety(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what Content Safety found in a text or an image; it only advises, so give `action`.

    Parameters
    ----------
    response
        Of text or image analysis, of the groundedness or of the protected material detection. Severities from 0 to 7,
        trimmed or not, are mapped by a table to ours.
    given
        What the caller knows; `layer` says what was judged.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> answer = {"categoriesAnalysis": [{"category": "Hate", "severity": 4}, {"category": "Sexual", "severity": 0}]}
    >>> [result] = guards_from_azure_content_safety(answer, layer="output", action="none")
    >>> [(found.category, found.severity) for found in result.findings]
    [('content.hte', 2)]
    """
    root = Node(response, "azure_content_safety")
    judged = []
    for item in root.get("categories_analysis").items():
        native, value = item.get("category").word(), item.get("severity").word()
        severity = _TABLE.severity("azure_content_safety", value)
        if severity != 0 and value is not None:
            fields: dict[str, Any] = {"severity": severity, "score_bucket": value, "score_kind": "severity"}
            judged.append(Judged(FLAG, finding(_TABLE, "azure_content_safety", native, **fields)))
    for item in root.get("blocklists_match").items():
        listed = item.get("blocklist_name").word()
        judged.append(Judged(FLAG, finding(_TABLE, "azure_content_safety", "blocklist", listed)))
    if root.get("protected_material_analysis").get("detected").flag():
        judged.append(Judged(FLAG, finding(_TABLE, "azure_content_safety", "protectedMaterialAnalysis")))
    if root.get("ungrounded_detected").flag():
        score = root.get("ungrounded_percentage").number()
        judged.append(Judged(FLAG, finding(_TABLE, "azure_content_safety", "ungroundedDetected", score=score)))
    return guard_results(_TABLE, judged, given, guard_name="azure-content-safety", guard_provider="azure")


def guards_from_prompt_shields(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what Prompt Shields found: a result for the prompt, and one for the documents if there were any.

    Parameters
    ----------
    response
        Of `shieldPrompt`.
    given
        What the caller knows; `layer` is known: the prompt is input, the documents are retrieved.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> answer = {"userPromptAnalysis": {"attackDetected": False}, "documentsAnalysis": [{"attackDetected": True}]}
    >>> [(result.layer, result.verdict) for result in guards_from_prompt_shields(answer)]
    [('input', 'allow'), ('retrieval', 'flag')]
    """
    root = Node(response, "prompt_shields")
    prompt, documents = root.get("user_prompt_analysis"), root.get("documents_analysis").items()
    results = []
    for layer, native, found in (("input", "userPromptAnalysis", [prompt] if prompt else []),
                                 ("retrieval", "documentsAnalysis", documents)):  # fmt: skip
        hits = sum(item.get("attack_detected").flag() for item in found)
        attack = finding(_TABLE, "prompt_shields", native, count=hits, score_kind="boolean")
        if found:
            results += guard_results(
                _TABLE, [Judged(FLAG, attack)] if hits else [], given, guard_name="prompt-shields",
                guard_provider="azure", layer=layer, native_result_type="attackDetected",
            )  # fmt: skip
    return results
