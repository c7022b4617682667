"""``python -m activation.cli``."""

from __future__ import annotations

import sys

from activation.cli import main

if __name__ == "__main__":
    sys.exit(main())
