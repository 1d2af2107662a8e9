"""Profiles, training and memoised runs. Thesis 5 and 7; explained in 02_experiment."""
