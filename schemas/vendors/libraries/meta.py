"""Meta's guard models: Llama Guard's text and Prompt Guard's labels."""

import re
from typing import Any, Final, Unpack

from msgspec.structs import replace

from ...guards import GuardResult
from ..reading import Node, model_text
from ..results import FLAG, Given, Judged, failed, finding, guard_results, probability
from ..words import table

_TABLE: Final = table("meta")
_CODE: Final = re.compile(r"S\d{1,3}")


def guards_from_llama_guard(
    response: Any, *, generation: int = 4, score: float | None = None, **given: Unpack[Given]
) -> list[GuardResult]:
    r"""Return what Llama Guard 3 or 4 answered; it only advises, so give `action`, and `layer`.

    Parameters
    ----------
    response
        The text that the model wrote, alone or as a server or pipeline gives it. A text that is no answer of a Llama
        Guard is a guard that failed, and is not repeated.
    generation
        Of the model, for the name of its taxonomy. Codes of other models begin with S too and mean other things.
    score
        Probability of the first token, where it is known.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where there is no text.

    Examples
    --------
    >>> [result] = guards_from_llama_guard("unsafe\nS1,S10", layer="output", action="blocked")
    >>> [(found.category, found.native_category) for found in result.findings]
    [('content.vcr', 'S1'), ('content.hte', 'S10')]
    """
    lines = model_text(response, "llama_guard").strip().splitlines()
    verdict = lines[0].strip().lower() if lines else ""
    if verdict not in ("safe", "unsafe"):
        return failed(_TABLE, given, guard_name="llama-guard", guard_provider="meta", reason="unreadable answer")
    codes = [part.strip() for line in lines[1:] for part in line.split(",") if part.strip()]
    judged = []
    for code in dict.fromkeys(code if _CODE.fullmatch(code) else "(unreadable)" for code in codes):
        found = finding(_TABLE, "llama_guard", code, **probability(score))
        judged.append(Judged(FLAG, replace(found, native_taxonomy=f"llama_guard_{generation}")))
    if verdict == "safe":
        judged = []
    elif not judged:
        judged = [Judged(FLAG)]
    return guard_results(_TABLE, judged, given, guard_name="llama-guard", guard_provider="meta",
                         native_result_type="text", native_result_value=verdict)  # fmt: skip


def _renamed(found: Any, taxonomy: str) -> Any:
    return type(found)(
        **{name: getattr(found, name) for name in found.__struct_fields__} | {"native_taxonomy": taxonomy}
    )


def guards_from_prompt_guard(response: Any, *, threshold: float = 0.5, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what Prompt Guard 1 or 2 said; it only advises, so give `action`.

    Parameters
    ----------
    response
        ``{"label": ..., "score": ...}``, or a list of them, as a pipeline gives them: one text's labels, or the labels
        of a text's parts.
    threshold
        Score from which a label is a finding.
    given
        What the caller knows; the layer is input unless it says otherwise.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> [result] = guards_from_prompt_guard({"label": "LABEL_1", "score": 0.998}, action="blocked")
    >>> result.verdict, result.findings[0].category, result.findings[0].threshold
    ('flag', 'sec.jailbreak', 0.5)
    """
    judged = []
    labels = _labels(Node(response, "prompt_guard"))
    for item in labels:
        label, score = item.get("label").word(), item.get("score").number()
        if score is None or score >= threshold:
            found = finding(_TABLE, "prompt_guard", label and label.upper(), label, score=score,
                            score_kind="probability", threshold=threshold)  # fmt: skip
            judged.append(Judged(FLAG, found))
    if not labels:
        return failed(_TABLE, given, guard_name="prompt-guard", guard_provider="meta", layer="input")
    return guard_results(_TABLE, judged, given, guard_name="prompt-guard", guard_provider="meta", layer="input")


def _labels(node: Node) -> list[Node]:
    if isinstance(node.value, list):
        return [label for item in node.items() for label in _labels(item)]
    if node and not node.get("label"):
        raise node.get("label").error("a label")
    return [node] if node else []
