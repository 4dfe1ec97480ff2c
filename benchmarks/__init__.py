"""Measurements of the product: ratios within one run."""
