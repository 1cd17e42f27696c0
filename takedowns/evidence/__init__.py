"""Evidence kept for good: a content-addressed store, its manifests, and packs to hand out."""
