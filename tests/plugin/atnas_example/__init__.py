"""Extensions of atnas."""
