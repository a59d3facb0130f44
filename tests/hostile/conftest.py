"""The running workers of the other tests."""

from tests.streams.test_workers import installation

__all__ = ["installation"]
