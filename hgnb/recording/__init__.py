"""Trains a study for many seeds, on all cores or a cluster, and records each training as it ends."""
