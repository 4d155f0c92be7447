"""How often something can be made in a second of the processor. It runs beside peers, in their environments."""

from __future__ import annotations

import time


def rate(make, seconds: float) -> float:
    """Makes things for so many seconds."""
    make()
    done, began = 0, time.process_time()
    while (spent := time.process_time() - began) < seconds:
        make()
        done += 1
    return done / spent
