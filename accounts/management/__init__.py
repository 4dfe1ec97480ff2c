"""The command line of accounts and keys."""
