"""Hit rates of BM25, dense and fused retrieval on a labelled collection."""
