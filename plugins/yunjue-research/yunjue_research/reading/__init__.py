"""Documents as parts of text with places: a page of a PDF file, lines of any other."""
