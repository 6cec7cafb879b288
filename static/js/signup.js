// Tells the sign-up form which time zone the browser is in.

const field = document.querySelector('input[name="timezone"]');
if (field) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
