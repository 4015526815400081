"""Data synthesis: methods that make training data, and the one runner that runs them."""
