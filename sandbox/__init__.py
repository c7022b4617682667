"""The local world: servers that imitate the contracts of the destinations, for tests and demonstrations."""
