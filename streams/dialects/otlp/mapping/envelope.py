"""What every event says of its origin: service, version, environment, tenant, and who was served."""

from typing import Any, Final

from streams.dialects.otlp.records import Origin
from streams.dialects.otlp.rules import Rules
from streams.dialects.otlp.tables.aliases import RESOURCE, first
from streams.dialects.otlp.tables.readers import text

UNKNOWN_SERVICE: Final = "unknown_service"
"""What OpenTelemetry calls a service that has no name."""
_VERSIONS: Final = 128


def envelope_of(origin: Origin, rules: Rules) -> dict[str, Any]:
    """Return the fields of the envelope that the resource and the scope settle."""
    found = {name: value for name, keys in RESOURCE.items() if (value := text(first(origin.resource, keys)))}
    found.setdefault("service_name", UNKNOWN_SERVICE)
    if "service_version" in found:
        found["service_version"] = found["service_version"][:_VERSIONS]
    if tenant := text(origin.resource.get(rules.tenant_attribute)):
        found["tenant_id"] = tenant
    if origin.schema_url:
        found["semconv_schema_url"] = origin.schema_url[:2048]
    found["source"] = f"otlp/{origin.scope}"[:256]
    return found


def host_of(origin: Origin) -> str:
    """Return the process that emitted a record, by which two records of one call are known to be neighbours."""
    resource = origin.resource
    return text(resource.get("service.instance.id")) or text(resource.get("service.name")) or UNKNOWN_SERVICE


def context_of(fields: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """Return what a span says of whom it served; spans beneath it that say nothing served the same."""
    context: dict[str, Any] = {
        name: fields[name] for name in ("conversation_id", "session_id", "request_model") if name in fields
    }
    if user := fields.get("user_id"):
        context["user_pseudo_id"] = rules.user(user)
    return context
