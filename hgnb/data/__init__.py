"""COCO layout in, square crops and heatmaps out. Thesis 4; explained in 01_dataset."""
