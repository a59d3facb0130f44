"""River's detectors beside our own, and ours behind River's interfaces.

`vote` and `anomaly.RiverAnomaly` are what the workers use: any class of River by its name, as a second opinion.
`api` and `anomaly.OddEventDetector` are for who has a pipeline of River already: they show our detectors one
observation at a time, as River's own are shown. Nothing in the product needs them; they are kept as a way in.
"""
