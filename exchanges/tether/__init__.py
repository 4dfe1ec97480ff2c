"""Tether.to: signing, fetching, meaning."""
