"""Measures an import into Braze beside the loops that people write and a general tool; content first, then time.

``python -m benchmarks.import_braze`` ends with 1 if a content check fails. A target that is missed is marked in the table and
does not change the exit code, because machines differ.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import table
from benchmarks.measure import Measurement
from benchmarks.results import full, quick


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_braze", description="Measure an import into Braze.")
    parser.add_argument("--rows", type=_rows, help="rows of the import (default: 150000, with --quick 1500)")
    parser.add_argument("--quick", action="store_true", help="few rows, to see that everything runs; the times mean nothing")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="put the results into this document, such as docs/benchmarks.md"
    )
    options = parser.parse_args(given)
    if options.quick and options.write:
        parser.error("--quick measures nothing that should be written down")
    return options


def main(given: Sequence[str]) -> int:
    """Run the benchmark and print its table.

    :returns: the exit code.
    """
    options = arguments(given)
    sizes = quick(options.rows or 1_500) if options.quick else full(options.rows or 150_000)
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        results = Measurement(sizes, Path(folder), tell)()
    command = shlex.join(["python", "-m", "benchmarks.import_braze", *given])
    text = table.render(results, command)
    print(f"\n{text}")
    if options.quick:
        print("\nA smoke test: the content was checked, but these times mean nothing.")
    if options.write and results.good:
        table.write(options.write, text)
        tell(f"written to {options.write}")
    return 0 if results.good else 1


def _rows(text: str) -> int:
    rows = int(text)
    if rows < 75:
        raise argparse.ArgumentTypeError("at least 75 rows, one request")
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
