"""Source, load, split, embed, store, retrieve: from a folder of files to passages for a query."""
