"""A moderation's answer, where a span carries it whole: whether it flagged, and which categories."""

from typing import Any

from streams.dialects.otlp.tables.readers import structure


def moderation_fields(answer: Any) -> dict[str, Any]:
    """Return what a moderation's answer says, in the words of the alias table; nothing for any other answer.

    Parameters
    ----------
    answer
        As JSON or structured: `results`, each with `flagged` and `categories`.

    >>> moderation_fields('{"results": [{"flagged": true, "categories": {"violence": true, "hate": false}}]}')
    {'guard_flagged': True, 'guard_categories': ['violence']}
    """
    content = structure(answer)
    results = content.get("results") if isinstance(content, dict) else None
    judged = [item for item in results if isinstance(item, dict)] if isinstance(results, list) else []
    flags = [item["flagged"] for item in judged if isinstance(item.get("flagged"), bool)]
    if not flags:
        return {}
    found = [item.get("categories") for item in judged]
    named = dict.fromkeys(
        str(key) for named in found if isinstance(named, dict) for key, on in named.items() if on is True
    )
    return {"guard_flagged": any(flags)} | ({"guard_categories": list(named)} if named else {})
