"""Which architectures are the same family of functions by construction, and how many different ones there are."""
