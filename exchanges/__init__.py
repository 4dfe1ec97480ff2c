"""What an exchange says. Plain Python: no Django, no Celery."""
