// Keys: "/" search, "?" help, arrows between the periods. Single-character keys
// can be turned off in the help dialog (WCAG 2.2, 2.1.4): voice input types them
// by accident.
const setting = "single-keys";

const enabled = () => localStorage.getItem(setting) !== "off";

const typing = (element) => element.matches("input, textarea, select, [contenteditable]");

const help = () => document.getElementById("help");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;

  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const group = event.target.closest?.("[data-arrows]");
  if (step && group) {
    const links = [...group.querySelectorAll("a")];
    const next = links[links.indexOf(event.target) + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
    return;
  }

  if (typing(event.target) || !enabled()) return;
  switch (event.key) {
    case "/": {
      const search = document.getElementById("search");
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
      break;
    }
    case "?":
      if (!help()) return;
      event.preventDefault();
      if (!help().open) help().showModal();
      break;
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-help]")) help().showModal();
  // An open menu closes when something outside of it is clicked.
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

const box = document.getElementById("single-keys");
if (box) {
  box.checked = enabled();
  box.addEventListener("change", () => localStorage.setItem(setting, box.checked ? "on" : "off"));
}
