"""What a person or another program touches: command line, terminal chat, HTTP server."""
