// While an account is being read its card asks for its present state, for a minute at most.

const PAUSE = 2_000;
let turns = 30;

async function renew() {
  if (!document.querySelector("[data-reading]") || !turns--) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const card of document.querySelectorAll("[data-reading]")) {
      const present = page.getElementById(card.id);
      // A card that is in use stays as it is until its reader leaves it.
      if (present && !card.contains(document.activeElement)) card.replaceWith(present);
    }
  } catch {
    // The next turn asks again.
  }
  setTimeout(renew, PAUSE);
}

setTimeout(renew, PAUSE);
