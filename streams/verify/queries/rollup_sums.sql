sum(own.events) AS events,
    {% for rate in rates %}sum({{ rate }}_trials){{ " + " if not loop.last }}{% endfor %} AS trials,
    {% for rate in rates %}sum({{ rate }}){{ " + " if not loop.last }}{% endfor %} AS flagged
