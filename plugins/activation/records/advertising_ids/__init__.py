"""Advertising ids, from a column of texts to part files: cleaned, without duplicates, in bulk and in bounded memory."""

from activation.records.advertising_ids.cleaning import Cleaned, clean
from activation.records.advertising_ids.parts import LINE_BYTES, PartFile
from activation.records.advertising_ids.rules import ALL_ZERO, DUPLICATE, INVALID, MISSING, IdRules, id_column

__all__ = ["ALL_ZERO", "DUPLICATE", "INVALID", "LINE_BYTES", "MISSING", "Cleaned", "IdRules", "PartFile", "clean", "id_column"]
