"""Checked program in; graph, encoding and supernet out."""
