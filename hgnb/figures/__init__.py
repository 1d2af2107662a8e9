"""Every figure of the book: a room for each chapter, one style."""
