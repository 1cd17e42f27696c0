"""The web desk: server-rendered pages, one small script for keys, every rule left to the services."""
