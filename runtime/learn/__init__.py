"""How the weights of a supernet get good."""
