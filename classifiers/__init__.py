"""Listing text in, Verdict out. No crawling, no SQL."""
