"""Spaces and architectures as pictures, for `atnas graph`."""
