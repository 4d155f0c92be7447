"""Text in, checked program out."""
