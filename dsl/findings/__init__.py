"""What is wrong in a user's file, and how it is told."""
