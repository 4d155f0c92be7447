"""The language as data: the grammar and the standard library."""
