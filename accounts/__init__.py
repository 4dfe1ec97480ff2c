"""Who may look, and the keys they lent us."""
