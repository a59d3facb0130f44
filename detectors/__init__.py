"""Online detectors of safety: pure, batched over series, honest about what they promise.

Which one to take
-----------------
`rates.RateDetector`
    A rate of rare flags (unsafe, injection, leak, refusal, error, denied tool). Give it trials and flagged per
    series and tick. It pages: if nothing has changed, the mean number of active ticks to a false alarm is at
    least its threshold, whatever the dependence, as long as the rate stays under the baseline ceiling.
`river_vote.DriftVote`
    A second opinion by any drift detector of River, without a baseline and without a promise: a ticket.
`river_api.RateDriftDetector`
    The rate detector behind River's own interface, one 0 or 1 at a time.
`intervals`
    Wilson for a rate on show; a confidence sequence for a rate that is looked at all the time.
`budget.threshold`
    From "at most so many false pages a day for the whole fleet" to the threshold of each series.

All of them: no clock, no I/O, no randomness; score first, learn second; state in flat arrays with a version.
"""
