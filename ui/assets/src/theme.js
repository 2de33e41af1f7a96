// The colour scheme: the button's form works without script; with it, the page
// changes at once. The server reads the cookie and writes data-theme, so that a
// page never flashes in the wrong colours.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-theme-switch]");
  if (!form) return;
  event.preventDefault();
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = dark ? "light" : "dark";
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  root.dataset.theme = theme;
  document.dispatchEvent(new CustomEvent("tallygate:theme"));
});

// Without a choice, the system's scheme may change while the page is open.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("tallygate:theme"));
});
