"""The library behind the book: a stacked hourglass for 2D human pose, and what its latent space holds."""

__version__ = "0.1.0"
