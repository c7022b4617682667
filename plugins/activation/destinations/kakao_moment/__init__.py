"""Advertising ids as customer files of Kakao Moment."""
