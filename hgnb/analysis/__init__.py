"""What the trained network learned, as numbers. Thesis 6 and 8; explained in 03_interpretation."""
