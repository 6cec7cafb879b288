import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import accounts.models.people
import core.db.crypto
import core.text.lines
import core.text.names
import core.text.zones


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "uuid",
                    models.CharField(
                        default=accounts.models.people.new_user_uuid,
                        editable=False,
                        max_length=30,
                        unique=True,
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        max_length=254,
                        unique=True,
                        validators=[core.text.lines.AddressValidator()],
                        verbose_name="email address",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        max_length=30,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9-]{2,30}\\Z", "Use 2 to 30 of a-z, 0-9 and -."
                            )
                        ],
                        verbose_name="username",
                    ),
                ),
                (
                    "first_name",
                    models.CharField(
                        blank=True,
                        max_length=80,
                        validators=[core.text.lines.validate_line],
                        verbose_name="first name",
                    ),
                ),
                (
                    "last_name",
                    models.CharField(
                        blank=True,
                        max_length=80,
                        validators=[core.text.lines.validate_line],
                        verbose_name="last name",
                    ),
                ),
                ("avatar_url", models.URLField(blank=True, verbose_name="picture")),
                (
                    "position",
                    models.CharField(
                        blank=True,
                        max_length=120,
                        validators=[core.text.lines.validate_line],
                        verbose_name="position",
                    ),
                ),
                (
                    "company",
                    models.CharField(
                        blank=True,
                        max_length=120,
                        validators=[core.text.lines.validate_line],
                        verbose_name="company",
                    ),
                ),
                (
                    "timezone",
                    models.CharField(
                        default="UTC",
                        max_length=64,
                        validators=[core.text.zones.validate_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "date_format",
                    models.CharField(
                        choices=[
                            ("MM/dd/yyyy", "MM/dd/yyyy"),
                            ("dd/MM/yyyy", "dd/MM/yyyy"),
                            ("dd.MM.yyyy", "dd.MM.yyyy"),
                            ("yyyy-MM-dd", "yyyy-MM-dd"),
                        ],
                        default="MM/dd/yyyy",
                        max_length=20,
                        verbose_name="date format",
                    ),
                ),
                (
                    "time_format",
                    models.CharField(
                        choices=[("hh:mm a", "hh:mm a"), ("HH:mm", "HH:mm")],
                        default="hh:mm a",
                        max_length=20,
                        verbose_name="time format",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("en", "English"),
                            ("de", "Deutsch"),
                            ("fr", "Français"),
                            ("es", "Español"),
                        ],
                        max_length=5,
                        verbose_name="language",
                    ),
                ),
                (
                    "week_start",
                    models.PositiveSmallIntegerField(default=1, verbose_name="week starts on"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("is_staff", models.BooleanField(default=False, verbose_name="staff")),
                (
                    "deleted_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="deleted"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "person",
                "verbose_name_plural": "people",
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "hint",
                    models.CharField(editable=False, max_length=12, verbose_name="begins with"),
                ),
                ("scopes", models.JSONField(default=list, verbose_name="scopes")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                (
                    "last_used_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last used"),
                ),
                (
                    "revoked_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="revoked"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "verbose_name_plural": "API tokens",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="when")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("login", "signed in"),
                            ("login_failed", "sign-in failed"),
                            ("logout", "signed out"),
                            ("session_ended", "session ended"),
                            ("password_changed", "password changed"),
                            ("password_reset", "password set by a mailed link"),
                            ("email_changed", "email address changed"),
                            ("mfa_added", "second step of signing in added"),
                            ("mfa_removed", "second step of signing in removed"),
                            ("token_made", "API token made"),
                            ("token_used", "API token used for the first time"),
                            ("token_revoked", "API token revoked"),
                            ("token_leaked", "leaked token revoked"),
                            (
                                "token_reused",
                                "application disconnected: a used-up token came again",
                            ),
                            ("application_made", "application made"),
                            ("application_changed", "application changed"),
                            ("application_deleted", "application deleted"),
                            ("application_allowed", "application connected"),
                            ("application_started", "application got its first token"),
                            ("application_removed", "application disconnected"),
                            ("invitation_sent", "team invitation sent"),
                            ("data_exported", "data exported"),
                            ("account_deleted", "account deleted"),
                            ("staff_added", "added by staff"),
                            ("staff_changed", "changed by staff"),
                            ("staff_deleted", "deleted by staff"),
                            ("staff_acted", "done by staff"),
                        ],
                        max_length=30,
                        verbose_name="what",
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=300, verbose_name="subject")),
                ("address", models.GenericIPAddressField(null=True, verbose_name="from address")),
                ("request_id", models.CharField(blank=True, max_length=64, verbose_name="request")),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="audit_entries",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit log",
                "ordering": ("-at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="FormerUsername",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("username", models.CharField(max_length=30, unique=True)),
                ("given_up_at", models.DateTimeField(auto_now_add=True, db_index=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_usernames",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "former username",
                "verbose_name_plural": "former usernames",
                "ordering": ("-given_up_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "owner"),
                            ("manager", "manager"),
                            ("member", "member"),
                            ("client", "client"),
                        ],
                        default="member",
                        max_length=10,
                        verbose_name="role",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "membership",
                "verbose_name_plural": "memberships",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                (
                    "session_key",
                    models.CharField(
                        editable=False, max_length=64, primary_key=True, serialize=False
                    ),
                ),
                ("session_data", core.db.crypto.EncryptedTextField(editable=False)),
                ("agent", models.CharField(blank=True, max_length=300, verbose_name="browser")),
                ("started_at", models.DateTimeField(null=True, verbose_name="signed in")),
                ("seen_at", models.DateTimeField(verbose_name="last seen")),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "ordering": ("-seen_at", "session_key"),
            },
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=120,
                        validators=[core.text.lines.validate_line, core.text.names.validate_title],
                        verbose_name="name",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "members",
                    models.ManyToManyField(
                        related_name="teams",
                        through="accounts.Membership",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "team",
                "verbose_name_plural": "teams",
                "ordering": ("name", "id"),
            },
        ),
        migrations.AddField(
            model_name="membership",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="memberships",
                to="accounts.team",
            ),
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        max_length=254,
                        validators=[core.text.lines.AddressValidator()],
                        verbose_name="email address",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                (
                    "invited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="accounts.team",
                    ),
                ),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
                "ordering": ("id",),
            },
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"), name="user_email_any_case"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("week_start__range", (1, 7))), name="user_week_start"
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["person", "-at"], name="audit_of_person"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["at"], name="audit_age"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                fields=("team", "user"),
                name="membership_once",
                violation_error_message="This person is already in the team.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                models.F("team"),
                django.db.models.functions.text.Lower("email"),
                name="invitation_once",
                violation_error_message="This address is invited already.",
            ),
        ),
    ]
