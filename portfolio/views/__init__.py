"""The pages: each view finds what is its user's, puts it into one context and renders one template."""
