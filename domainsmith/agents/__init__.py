"""Agents: steps that the model orders, checkpointed and under a policy."""
