"""Yahoo's answers as JSON: the fields and bodies that were recorded, over the market's views."""
