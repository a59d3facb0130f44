"""Online detectors of safety: pure, batched over series, honest about what they promise.

Which one to take
-----------------
`rates.RateDetector`
    A rate of rare flags (unsafe, injection, leak, refusal, error, denied tool), its rises or its falls. Give it trials
    and flagged per series and tick, sessions rather than events, because what comes in bursts breaks any promise.
    While the rate stays under its ceiling, the mean number of active ticks to a false alarm is at least the threshold,
    whatever the dependence. It also tells when the rate is back.
`rates.pooling` before it
    Many rates that may change together, each too rare alone: flags against what is usual of each, as one series.
`quantities.QuantityDetector`
    A latency, a token count, a score: has its distribution moved, as histograms per tick. No shape is assumed.
`mixes.MixDetector`
    Shares of names (categories, models, tools): which one has risen, or is new.
`volume.VolumeWatch`
    Events a minute of each source: silence, flood and recovery. About the telemetry, not about safety.
`odd.OddEvents` with `rank_budget.RankBudget`
    One event unlike the others of its context; the budget says how many a day are worth a look.
`patterns.PatternFinder`
    Vectors of texts: which clusters are new. It names a cluster and promises nothing; give its members to the rate
    detector.
`canary.CanaryComparison`
    A candidate beside what is stable: worse, not worse by a margin, or undecided, at any moment.
`strata.ReviewSampler`, `more.labels_to_halve`
    Which events people should label, and how many more would halve an interval.
`metric.MetricScorer`
    One line on a chart without counts behind it: an anomaly score from 0 to 1.
`river_vote.DriftVote`, `river_anomaly.RiverAnomaly`
    Any drift or anomaly detector of River by its dotted name, as a second opinion: a ticket, never a page.
`river_api.RateDriftDetector`, `river_api.QuantityDriftDetector`, `river_anomaly.OddEventDetector`,
`metric.MetricAnomalyDetector`
    Ours behind River's own interfaces, one observation at a time.
`intervals`
    `wilson` for a rate that is shown once; `confidence_sequence` for a rate that is looked at all the time.
`budget.threshold`
    From "at most so many false pages a day for the whole fleet" to the threshold of each series.

All of them: no clock, no I/O, no randomness without a seed; score first, learn second; state in flat arrays with a
version, never a pickle. What comes out is a function of the sequence of ticks and sums, not of how they were batched
or when a detector was stored and restored; where a batch is a unit, the class says so.

The parts they are made of: `baseline` (normal rates, and their bounds), `reference` and `tilts` (normal distributions,
and bets on others), `likelihood`, `evidence` and `excursions` (Shiryaev-Roberts sums, and onsets), `quarantine` (what
must not be learned yet), `inflation` (how much counts scatter), `recovery` and `returning` (what proves the end).
"""
