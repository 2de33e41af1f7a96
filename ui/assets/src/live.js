// Arriving events. The server sends each as a finished table row; the list keeps
// its length. Moving content must be stoppable (WCAG 2.2, 2.2.2): the button holds
// rows back, and they come in when it is pressed again.
const list = document.querySelector("tbody[data-live]");

if (list) {
  const limit = Number(list.dataset.limit);
  const button = document.getElementById("live-pause");
  const state = document.getElementById("live-state");
  const held = [];
  let paused = false;
  let connected = false;

  const show = () => {
    list.closest("section").dataset.state = paused ? "paused" : connected ? "live" : "lost";
    state.textContent = paused
      ? held.length ? `Paused, ${held.length} new` : "Paused"
      : connected ? "Live" : "Reconnecting…";
  };

  const add = (row) => {
    // An event may come twice: in the page and, a moment later, in the stream.
    if (document.getElementById(row.id)) return;
    list.prepend(row);
    while (list.rows.length > limit) list.lastElementChild.remove();
  };

  const parse = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content.querySelector("tr");
  };

  const source = new EventSource(list.dataset.live);
  source.addEventListener("open", () => {
    connected = true;
    show();
  });
  source.addEventListener("error", () => {
    connected = false;
    show();
  });
  source.addEventListener("latest", (event) => {
    const row = parse(event.data);
    row.classList.add("arrived");
    const empty = document.getElementById("live-empty");
    if (empty) {
      empty.hidden = true;
      list.closest("[hidden]")?.removeAttribute("hidden");
    }
    if (paused) {
      held.push(row);
      if (held.length > limit) held.shift();
    } else {
      add(row);
    }
    show();
    document.dispatchEvent(new CustomEvent("tallygate:arrived"));
  });
  // The session has ended: don't knock for ever.
  source.addEventListener("end", () => {
    source.close();
    connected = false;
    list.closest("section").dataset.state = "ended";
    state.textContent = "Ended: reload the page";
  });

  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    if (!paused) held.splice(0).forEach(add);
    show();
  });
}
