"""Hostile answers: hypothesis mutates every documented answer and looks for a second kind of outcome."""
