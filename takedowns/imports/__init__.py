"""What people hand over: spreadsheets, pasted and short links."""
