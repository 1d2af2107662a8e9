"""Pictures of people: one style, skeletons and heatmaps over photographs, and what `hgnb predict` writes."""
