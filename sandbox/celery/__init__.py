"""The services of docker-compose.yaml as processes of this machine, for the tests."""

from __future__ import annotations

from sandbox.celery.cluster import CeleryCluster, ClusterStartError

__all__ = ["CeleryCluster", "ClusterStartError"]
