"""A checked program's spaces, worked out into nets."""
