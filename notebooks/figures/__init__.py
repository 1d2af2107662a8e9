"""Every figure of the book: a room for each subject of a chapter, one style."""
