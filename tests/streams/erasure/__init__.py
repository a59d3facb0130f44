"""Tests of streams.erasure."""
