"""What the curator measures, asks, chooses and writes; each module one of its abilities."""
