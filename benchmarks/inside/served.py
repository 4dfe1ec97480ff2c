"""The product's settings, with one bare page beside its own."""

from portfolio.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.inside.bare"
