"""Profiles: from the rows of several tables to one row a profile, in bulk."""
