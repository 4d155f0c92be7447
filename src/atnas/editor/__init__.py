"""What editors ask of a program: findings, meanings, shapes, completions, edits; and the server that answers them."""
