// The parts of every page that move. Nothing here is needed to read a page or to
// get from one to the next.
import htmx from "htmx.org";
import "./copy.js";
import "./keys.js";
import "./live.js";
import "./theme.js";

// Elements that only make sense with script are hidden until it runs.
document.documentElement.classList.add("has-script");

// A session may end while a page stays open: then a panel's answer is a redirect
// to the sign-in page, which the whole window follows (HX-Redirect). Any other
// failure leaves the panel as it is and marks it as old.
document.addEventListener("htmx:responseError", (event) => {
  event.detail.elt.classList.add("stale");
});
document.addEventListener("htmx:sendError", (event) => {
  event.detail.elt.classList.add("stale");
});

// New figures are fetched when events have arrived, but not under the eyes of
// somebody who points at the panel, has the focus in it, or has opened its table.
let waiting = 0;
const pause = 5_000;

function refreshPanels() {
  if (document.hidden) return;
  for (const panel of document.querySelectorAll("[data-refresh]")) {
    if (panel.matches(":hover, :focus-within") || panel.querySelector("details[open]")) continue;
    htmx.trigger(panel, "refresh");
  }
}

document.addEventListener("tallygate:arrived", () => {
  // A page with nothing to show has other content than one with something.
  if (document.querySelector("[data-reload]")) {
    location.reload();
    return;
  }
  if (waiting) return;
  waiting = setTimeout(() => {
    waiting = 0;
    refreshPanels();
  }, pause);
});
