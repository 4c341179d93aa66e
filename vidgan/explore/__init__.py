"""What one can do with points of a latent space: pure functions, which know nothing of the page."""
