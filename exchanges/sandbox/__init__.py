"""The three exchanges as local servers, for the demo and the tests. Independent of the connectors."""
