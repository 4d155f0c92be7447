"""Neural architecture search across tasks."""

__version__ = "0.1.0"
