"""Pages for staff. Each module registers its own."""

from accounts.staff import access, audit_log, oauth, people, pictures, sent, teams

__all__ = ["access", "audit_log", "oauth", "people", "pictures", "sent", "teams"]
