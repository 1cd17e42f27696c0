"""What the screens read from the ledger: pages of rows, and counts. No rule lives here."""
