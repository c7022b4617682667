"""Columns to payload: identifiers, payload rules and the text that is sent. Columnar throughout, never row by row."""
