"""The standard operators, one family a file."""
