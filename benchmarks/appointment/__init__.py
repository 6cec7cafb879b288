"""Project with django-appointment, to compare with. It runs in an environment of its own."""
