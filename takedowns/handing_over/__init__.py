"""Case files between offices: packed here, taken in there, confirmed, answered (docs/handover.md)."""
