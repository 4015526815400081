"""Graders: each looks at one thing in a record, a preference or a ranking and says why."""
