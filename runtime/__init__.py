"""Tasks, meta-training, search, adaptation and runs."""
