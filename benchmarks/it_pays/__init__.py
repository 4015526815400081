"""Does selection pay: a model tuned on selected data against one tuned on random data."""
