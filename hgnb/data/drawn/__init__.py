"""The drawn people: bodies, clothes and rooms, rendered as photographs in COCO layout. Thesis 4; 01_dataset."""
