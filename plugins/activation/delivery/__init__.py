"""The delivery engine: batches, requests in flight, rate budget, retries, bisection, rejects, checkpoints and the report."""
