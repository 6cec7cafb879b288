// Sends the form of a page that has nothing left to ask. Without a script its button does.

document.querySelector("form[data-at-once]").requestSubmit();
