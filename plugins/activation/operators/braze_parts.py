"""From the blocks of a pipeline to the parts of a run that belong to Braze: the encoder, the sink and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from activation.delivery.answer import Sink
from activation.delivery.cutting import Cutting
from activation.delivery.engine import Flight
from activation.delivery.run import Plan
from activation.destinations.braze import contract
from activation.destinations.braze.encoder import ItemsEncoder
from activation.destinations.braze.kinds import KINDS, Options
from activation.destinations.braze.wire import BrazeSink, Endpoint
from activation.records.encoded import Encoder
from activation.spec import BrazeDestination, Pipeline


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run needs of its destination."""

    encoder: Encoder
    sink: Sink
    plan: Plan


def braze_parts(pipeline: Pipeline, endpoint: Endpoint, roles: Mapping[str, str], tick: int) -> Parts:
    """Build the parts.

    :param roles: role -> column of the batches.
    :param tick: nanoseconds of one unit of the cursor column.
    """
    destination, delivery = pipeline.destination, pipeline.delivery
    assert isinstance(destination, BrazeDestination)  # noqa: S101 - the only kind there is
    kind, limits = KINDS[destination.data], contract.profile(destination.profile)
    catalog = destination.catalog
    options = Options(
        destination.update_existing_only,
        tick,
        catalog.name if catalog else "",
        catalog is None or catalog.write == "put",
        destination.lint == "reject",
        destination.profile,
    )
    most, most_bytes = kind.most or limits.objects, contract.MOST_BODY if kind.most else limits.bytes
    cutting = Cutting(
        min(delivery.batch_rows or most, most),
        min(delivery.batch_bytes or most_bytes, most_bytes) - contract.ENVELOPE_BYTES,
        kind.per_key if kind.most else limits.per_user,
        kind.together,
    )
    flight = Flight(
        delivery.in_flight,
        delivery.attempts,
        delivery.max_delay.seconds,
        reject_unknown=destination.on_unknown == "reject" and not kind.idempotent,
    )
    plan = Plan(cutting, flight, delivery.checkpoint.seconds, pipeline.errors.max_reject_share, delivery.rate_share)
    sink = BrazeSink(endpoint, kind.calls(options), in_flight=delivery.in_flight, timeout=delivery.timeout.seconds)
    return Parts(ItemsEncoder(kind.form(options), roles), sink, plan)
