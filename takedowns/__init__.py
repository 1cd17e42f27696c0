"""The application: ledger, review, leads, removal checks, reports, desk and command line."""
