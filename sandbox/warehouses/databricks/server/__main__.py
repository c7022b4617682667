"""Serves until its standard input ends, which it does with the process that started it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import threading
from pathlib import Path

from .engine import Engine
from .front import Front


def main() -> None:
    """Start, print the port, and serve."""
    parser = argparse.ArgumentParser(prog="server", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where tables and temporary files go")
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--path", required=True, help="the http_path of the warehouse")
    parser.add_argument("--memory", default="2g", help="the heap of the Java side")
    parser.add_argument("--large", action="store_true", help="plan for large tables")
    asked = parser.parse_args()
    engine = Engine(asked.folder, asked.memory, large=asked.large)
    front = Front(engine, asked.path, os.environ["STAND_IN_TOKEN"], asked.certificate, asked.key, asked.folder)
    threading.Thread(target=front.serve_forever, daemon=True).start()
    print(f"serving on {front.server_port}", flush=True)
    sys.stdin.buffer.read()
    engine.stop()
    shutil.rmtree(asked.folder, ignore_errors=True)  # whoever started this may be gone
    os._exit(0)  # threads may still wait for statements that never end


if __name__ == "__main__":
    main()
