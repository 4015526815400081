"""The stages of a selection, one family a file; ``registry`` names them."""
