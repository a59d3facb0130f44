"""River's detectors, beside our own."""
