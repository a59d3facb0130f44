"""How harmful each output was, on the axes of safety and of security: found, stopped or served, and how severe.

The detectors watch leaks and injections at rates of their own, so that one cause is one page. To the people who got
the output all of it is harm: KPIs take the axes together, or one by one. An output is *unsafe* where it is harmful on
either axis.

```
0  nothing found        2  served, severity not said
1  found and stopped    3  served and low, 4 medium, 5 high, 6 critical
```

What is unsafe about an input, a document or the call of a tool is no output; `injection_flag`, `leak` and
`denied_tool` count it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from schemas.categories import HARMS, Axis, axis
from streams.events.flags import ACTION_LAYERS, BIT, INPUT_LAYERS, OUTPUT_LAYERS, Flags
from streams.events.guards import encoded, objections

STOPPED: Final = 1
SERVED: Final = 2

Levels = npt.NDArray[np.uint8]


def harm_of(flags: Flags, *, alone: bool) -> dict[Axis, Levels]:
    """Return by axis how harmful each event is, as numbered above.

    Parameters
    ----------
    flags
        Of n events of one kind.
    alone
        Whether they are verdicts that travel alone: what they object to is harm, though no output comes with it.
    """
    guards = flags.guards
    found: dict[Axis, Levels] = {name: np.zeros(len(flags.trials), np.uint8) for name in HARMS}
    if not guards.flagging.any():
        return found
    said = objections(guards, flags.unserved)
    layer, layers = encoded(pc.struct_field(guards.result, "layer"))
    axes = np.array([[_axis_of(name, code) or "" for code in said.codes] for name in layers])[
        layer[said.result], said.code
    ]
    level = np.where(said.stopped, STOPPED, SERVED + said.severity).astype(np.uint8)
    none = flags.probe if alone else (flags.trials & BIT["unsafe_attempted"]) == 0
    for name, worst in found.items():
        mine = axes == name
        np.maximum.at(worst, guards.row[said.result[mine]], level[mine])
        worst[none] = 0
    return found


def severity_of(*harms: Levels) -> Levels:
    """Return the worst severity of what was served, 0 where that is not said or nothing was.

    >>> severity_of(np.array([0, 1, 2, 6], np.uint8), np.array([0, 0, 4, 3], np.uint8)).tolist()
    [0, 0, 2, 4]
    """
    return np.maximum(np.maximum.reduce(harms), SERVED) - np.uint8(SERVED)


def _axis_of(layer: str, category: str) -> Axis | None:
    """Return the axis on which a finding makes an output harmful, or None where it does not.

    A code that is not known, or none at all, is a hazard of content where the guard looked at an output, or did not say
    at what: the detectors count it as unsafe there too.
    """
    if layer in INPUT_LAYERS or layer in ACTION_LAYERS:
        return None
    named = axis(category) or ("safety" if layer in OUTPUT_LAYERS else None)
    return named if named in HARMS else None
