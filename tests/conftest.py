"""Where pytest takes files side by side (`-n`), each process and what it starts stay with one thread."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
