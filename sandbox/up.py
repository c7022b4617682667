"""``make up``: the demo's world stays up, with Airflow's UI, until Ctrl-C."""

from __future__ import annotations

import signal
import sys

from sandbox.demo.world import PIPELINE, ROOT, World, say


def main() -> int:
    """Start everything and wait for Ctrl-C or SIGTERM."""
    stop = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    with World(ROOT / ".state" / "up", port=8080) as world:
        world.api.unpause(PIPELINE)
        say("")
        say(f"   Airflow          {world.airflow.url}/dags/{PIPELINE}")
        say("   login            admin, password admin (or viewer, viewer)")
        say(f"   Braze's side     {world.braze.url}/_sandbox/summary")
        say(f"   warehouse        {world.database}")
        say("   Trigger the DAG in the UI; change rows in the warehouse and trigger it again. Ctrl-C ends all of it.")
        signal.sigwait(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
