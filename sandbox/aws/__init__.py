"""Amazon's services on this machine: S3 with KMS, IAM with STS, and a proxy that makes them fail."""

from sandbox.aws.proxy import FaultProxy
from sandbox.aws.sandbox import AwsSandbox

__all__ = ["AwsSandbox", "FaultProxy"]
