"""The mini model: drawn films, questions about them, and a small MovieChat trained on both."""
