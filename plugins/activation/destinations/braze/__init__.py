"""Braze, through its public REST API (contracts: braze 2)."""
