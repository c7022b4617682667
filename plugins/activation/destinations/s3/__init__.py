"""A bucket of Amazon S3, reached through its owner's role (contracts: s3_export)."""
