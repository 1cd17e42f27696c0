"""The crawls: one job, one process, one run directory."""
