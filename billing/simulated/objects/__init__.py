"""The objects of the API: what may be asked of each, and what happens to it."""
