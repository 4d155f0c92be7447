"""Text to the syntax tree and back."""
