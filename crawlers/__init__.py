"""A page or an API answer in, a Listing or a Sighting out. No SQL, no classification."""
