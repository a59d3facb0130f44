count() AS events, sum(bitCount(t)) AS trials, sum(bitCount(bitAnd(f, t))) AS flagged
