"""A second scenario beside the recorded week, made from a seed: a day and a half in which every KPI has a value."""
