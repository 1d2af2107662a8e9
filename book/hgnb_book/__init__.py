"""Notebooks in, pages out: run with papermill, rendered with Jupyter Book."""
