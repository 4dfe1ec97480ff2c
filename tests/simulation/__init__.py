"""The sync pipeline against invented exchanges, an invented clock and every fault that we could think of; from a seed.

The client, the parser, the sync, the store and the dispatcher are the product's own. See docs/simulation.md.
"""
