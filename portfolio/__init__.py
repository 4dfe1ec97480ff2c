"""What they own and what it is worth: the Django project and the app."""
