"""From a budget of false alarms for the whole fleet to the threshold of each series."""


def threshold(series: float, active_ticks_per_day: float, alarms_per_day: float) -> float:
    """Return the e-value at which a series may alarm.

    A Shiryaev-Roberts e-detector with threshold A has a mean run length of at least A ticks, so S series with T
    active ticks a day each raise at most S T / A false alarms a day between them, whatever their dependence.

    Parameters
    ----------
    series
        How many series are alive.
    active_ticks_per_day
        Ticks with data that one of them has a day, on average.
    alarms_per_day
        The budget.

    Raises
    ------
    ValueError
        Where the budget is not positive.

    >>> threshold(5_000, 8_640, 1)
    43200000.0
    """
    if not alarms_per_day > 0:
        raise ValueError("the budget of alarms a day must be above 0")
    return max(float(series) * active_ticks_per_day / alarms_per_day, 1.0)
