"""BTSE, spot wallet: signing, fetching, meaning."""
