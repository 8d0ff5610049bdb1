"""``python -m harness.benchmark FILE``: measure one scenario in this process, and tell."""

from __future__ import annotations

import sys

from harness.benchmark.command import main

if __name__ == "__main__":
    sys.exit(main())
