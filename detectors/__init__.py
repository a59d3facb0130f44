"""Online detectors of safety: pure, batched over series, honest about what they promise.

Which one to take
-----------------
`rates.RateDetector`
    A rate of rare flags (unsafe, injection, leak, refusal, error, denied tool). Give it trials and flagged per
    series and tick, sessions rather than events, because what comes in bursts breaks any promise. It pages: while
    the rate stays under the baseline ceiling, the mean number of active ticks to a false alarm is at least its
    threshold, whatever the dependence. It also tells when a risen rate is back.
`river_vote.DriftVote`
    A second opinion by any drift detector of River, without a ceiling and without a promise: a ticket, never a page.
`river_api.RateDriftDetector`
    The rate detector behind River's own interface, one 0 or 1 at a time.
`intervals`
    `wilson` for a rate that is shown once; `confidence_sequence` for a rate that is looked at all the time.
`budget.threshold`
    From "at most so many false pages a day for the whole fleet" to the threshold of each series.

All of them: no clock, no I/O, no randomness; score first, learn second; state in flat arrays with a version. What
comes out is a function of the sequence of ticks and sums, not of how they were batched or when a detector was stored
and restored.

The parts of the rate detector: `baseline` (what is normal, and the ceiling), `likelihood` (the bets on a rise),
`excursions` (its onset), `quarantine` (what must not be learned yet), `recovery` (the down-test).
"""
