"""What platforms answer: read, matched to leads, and kept as claims beside our findings."""
