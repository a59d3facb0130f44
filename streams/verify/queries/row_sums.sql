count() AS events, sum(bitCount(t)) AS trials, sum(bitCount(f)) AS flagged
