"""What to look at next, and how it is scored."""
