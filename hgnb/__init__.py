"""The library behind the book: a stacked hourglass for 2D human pose, and what its latent space holds."""

import os

if os.environ.get("HGNB_DEVICE") == "cpu":  # before torch looks for graphics cards
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

__version__ = "0.1.0"
