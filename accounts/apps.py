from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.libraries import security_events  # noqa: F401  it listens from then on
        from accounts.messages import letters  # noqa: F401  it registers its kinds
