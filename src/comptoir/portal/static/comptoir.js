// Only improves pages that work without it: modal dialogs, copying, showing a typed secret, live progress.
"use strict";

// A dialog comes open from the server. With script it is modal: focus stays in it, Escape closes it.
for (const dialog of document.querySelectorAll("dialog[data-modal][open]")) {
  dialog.removeAttribute("open");
  dialog.showModal();
  dialog.addEventListener("close", () => {
    if (dialog.dataset.leave) window.location.replace(dialog.dataset.leave);
  });
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  const said = document.createElement("span");
  said.className = "unseen";
  said.setAttribute("aria-live", "polite");
  button.after(said);
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // where the page is not on https, browsers offer only this
    }
    button.textContent = said.textContent = button.dataset.done;
    window.setTimeout(() => {
      button.textContent = label;
      said.textContent = "";
    }, 2500);
  });
  field.addEventListener("focus", () => field.select());
}

for (const button of document.querySelectorAll("button[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  });
}

for (const region of document.querySelectorAll("[data-live]")) {
  if (!region.dataset.live || !window.EventSource) continue;
  let source = null;
  let isDone = false;
  const stop = () => {
    source?.close();
    source = null;
  };
  const listen = () => {
    if (source || isDone || document.hidden) return;
    source = new EventSource(region.dataset.live);
    source.addEventListener("change", (event) => show(region, event.data));
    source.addEventListener("done", () => {
      isDone = true;
      stop();
    });
  };
  // A browser opens six connections to one place at most: pages that nobody looks at must not hold them.
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
  listen();
}

// What the reader is at stays: focus, and lists that were opened.
function show(region, content) {
  const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
  const opened = Array.from(region.querySelectorAll("details[open]"), (one) => one.id);
  const scrolled = Array.from(region.querySelectorAll(".table-scroll"), (one) => one.scrollLeft);
  region.innerHTML = content;
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  region.querySelectorAll(".table-scroll").forEach((one, place) => (one.scrollLeft = scrolled[place] || 0));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}
