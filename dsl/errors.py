"""What the environment can do to us: a missing file, a full disk, data that is not there."""

from __future__ import annotations


class Unable(Exception):
    """It could not be done. The text is one sentence for the user, with the cure where there is one."""
