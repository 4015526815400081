"""What goes into a language model and what comes out of it.

Light modules: :mod:`generation` (values and protocols), :mod:`messages` (questions as chat
messages), :mod:`catalog` (which weights exist), :mod:`device`, :mod:`load`. The others import
torch, transformers or langchain and are imported where they are used.
"""
