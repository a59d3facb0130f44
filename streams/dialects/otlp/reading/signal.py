"""What travels as OTLP and is read here."""

from typing import Literal

Signal = Literal["traces", "logs"]
"""Metrics are not read: they are sums over what the spans say one by one."""
