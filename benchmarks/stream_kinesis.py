"""Measures records and changed profiles into a Kinesis data stream beside what people write; content first, then time.

``python -m benchmarks.stream_kinesis`` ends with 1 if a content check fails. A target that is missed is marked in the table and
does not change the exit code, because machines differ.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks import command
from benchmarks.streaming import table
from benchmarks.streaming.measure import Measurement
from benchmarks.streaming.results import full, quick

MODULE = "benchmarks.stream_kinesis"


def main(given: Sequence[str]) -> int:
    """Run the benchmark and print its table.

    :returns: the exit code.
    """
    rows = "small records; a quarter of it large ones, five times as many profiles (default: 200000, with --quick 2000)"
    parser = command.parser(MODULE, "Measure records and changed profiles into a stream.", rows, least=1_000)
    options = command.parse(parser, given)
    sizes = quick(options.rows or 2_000) if options.quick else full(options.rows or 200_000)
    return command.run(
        lambda folder, tell: Measurement(sizes, folder, tell)(),
        table.render,
        options,
        ["python", "-m", MODULE, *given],
        table.MARKS,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
