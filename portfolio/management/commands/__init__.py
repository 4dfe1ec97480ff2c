"""One module per command; each parses its arguments, calls one stage, prints lines."""
