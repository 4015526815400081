"""The fault harness: kills the product everywhere and proves that nothing was lost.

It keeps its own ledger of what the product has promised. The product knows nothing of it.
"""
