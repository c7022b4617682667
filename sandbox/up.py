"""``make up``: the demo's world stays up, with Airflow's UI, until Ctrl-C."""

from __future__ import annotations

import signal
import sys

from sandbox.airflow.settings import port_is_free
from sandbox.demo.screen import say
from sandbox.demo.source import AUDIENCE, DAILY, EVENTS, PIPELINE, PIPELINES, PROFILES, ROOT, STREAM, refusal
from sandbox.demo.world import World

PORT = 8080


def main(engine: str = "duckdb") -> int:
    """Start everything and wait for Ctrl-C or SIGTERM.

    :param engine: the source of the pipelines.
    """
    if wrong := refusal(engine):
        print(wrong, file=sys.stderr)
        return 2
    if not port_is_free(PORT):
        say(f"Port {PORT} is taken. Is it running already? Then end that one first, or open http://127.0.0.1:{PORT}.")
        return 1
    stop = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    with World(ROOT / ".state" / "up", engine, port=PORT, scheduled=True) as world:
        for pipeline in PIPELINES:
            world.api.unpause(pipeline)
        partner = world.partner
        say("")
        say(f"   Airflow          {world.airflow.url}/dags/{PIPELINE}")
        say(f"                    {world.airflow.url}/dags/{EVENTS} and {PROFILES}")
        say(f"                    {world.airflow.url}/dags/{STREAM}")
        say(f"                    {world.airflow.url}/dags/{AUDIENCE}: trigger it once, then {DAILY} as often as you like")
        say("   login            admin, password admin (or viewer, viewer)")
        say(f"   Braze's side     {world.braze.url}/_sandbox/summary")
        say(f"   partner's side   s3://{partner.bucket} at {partner.aws.url}; access key test, secret key test")
        say(f"   Kinesis's side   {world.kinesis.url}/_sandbox/summary, stream {world.stream}; access key test, secret key test")
        say(f"   Kakao's side     {world.kakao.url}/_sandbox/files")
        say(f"   warehouse        {world.source.place()}")
        say("   The DAGs run by their schedules, that of the stream all the time; the page Pipelines runs the others.")
        say("   Change rows in the warehouse, with a new UPDATED_AT, and see them arrive. Ctrl-C ends all of it.")
        signal.sigwait(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
