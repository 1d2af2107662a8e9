"""The networks: torch and nothing else. Thesis 3.2, 5.1 and 7.2."""
