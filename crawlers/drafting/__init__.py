"""A search page and a listing → a draft of the profile that would read them. Pure; a person judges it."""
