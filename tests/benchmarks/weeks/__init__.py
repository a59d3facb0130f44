"""Composed weeks: made from drawn parameters, judged by the detectors, and held against the best that can be done."""
