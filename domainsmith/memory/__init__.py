"""What outlives a call: conversations and feedback."""
