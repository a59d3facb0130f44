"""The detect worker: ticks to findings, a file for each way to find something."""
