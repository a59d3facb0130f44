"""Tests of streams.retention."""
