"""What becomes of telemetry that was not made for us: whose it is, and what of it stays."""

from pydantic import BaseModel


class TelemetryRules(BaseModel, extra="forbid", frozen=True):
    """How OpenTelemetry's spans become events."""

    tenant_attribute: str = ""
    """The attribute, of the resource or else of the span, whose value is the tenant; empty for none."""
    keep_text: bool = False
    """Whether prompts and answers stay in the events; they are measured and hashed either way."""
