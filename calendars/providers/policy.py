from core.web import guarded_http


def policy() -> guarded_http.Policy:
    return guarded_http.Policy()
