"""What reading alone can tell of a file: nothing is worked out here."""
