"""Tokens.net: signing, fetching, meaning."""
