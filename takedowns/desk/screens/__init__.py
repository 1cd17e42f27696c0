"""One module per screen; each holds its routes and nothing that decides."""
