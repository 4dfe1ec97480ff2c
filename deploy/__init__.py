"""Scripts around an installation: the demo, and the tour of the code."""
