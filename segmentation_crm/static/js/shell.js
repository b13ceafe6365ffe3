/* What every page does: menu, theme, search key, dialogs, dismissable notes, readable htmx failures. */
const root = document.documentElement;

function remember(key, value) {
  try {
    window.localStorage.setItem(key, value);
  } catch {
    // storage may be blocked: the choice then holds until the page is left
  }
}

function showTheme() {
  const choice = root.dataset.themeChoice;
  for (const button of document.querySelectorAll("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === choice));
  }
}

function setTheme(choice) {
  remember("crm-theme", choice);
  document.dispatchEvent(new Event("crm:theme"));
  showTheme();
/* On a phone the tabs scroll: the one that is open stands in sight. */
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

function setFolded(folded) {
  if (folded) root.dataset.side = "folded";
  else delete root.dataset.side;
  remember("crm-side", folded ? "folded" : "open");
  const button = document.querySelector("[data-fold]");
  button?.setAttribute("aria-expanded", String(!folded));
}

function setMenu(open) {
  const button = document.querySelector("[data-menu-button]");
  if (open) root.dataset.menu = "open";
  else delete root.dataset.menu;
  button?.setAttribute("aria-expanded", String(open));
  if (open) document.querySelector(".side a")?.focus();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.removeAttribute("open");
  }
}

function onClick(event) {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  closeMenus(target.closest("details.menu"));
  const themeButton = target.closest("[data-theme-set]");
  if (themeButton) setTheme(themeButton.dataset.themeSet);
  if (target.closest("[data-fold]")) setFolded(root.dataset.side !== "folded");
  if (target.closest("[data-menu-button]")) setMenu(root.dataset.menu !== "open");
  if (target.closest("[data-menu-close]")) setMenu(false);
  const opener = target.closest("[data-dialog-open]");
  if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();
  const closer = target.closest("[data-dialog-close]");
  if (closer) closer.closest("dialog")?.close();
  const toggle = target.closest("[data-toggle]");
  if (toggle) {
    const part = document.getElementById(toggle.dataset.toggle);
    if (part) {
      part.hidden = !part.hidden;
      toggle.setAttribute("aria-expanded", String(!part.hidden));
    }
  }
  if (target.closest("[data-dismiss]")) target.closest(".note-box")?.remove();
}

function onKey(event) {
  if (event.key === "Escape") {
    if (root.dataset.menu === "open") {
      setMenu(false);
      document.querySelector("[data-menu-button]")?.focus();
    }
    const open = document.querySelector("details.menu[open]");
    if (open) {
      open.removeAttribute("open");
      open.querySelector("summary")?.focus();
    }
    return;
  }
}

/* A list's filters apply as they are chosen; typing waits for Enter. Empty ones stay out of the address. */
function onChange(event) {
  const form = event.target instanceof Element ? event.target.closest("form[data-autosubmit]") : null;
  if (form && event.target.matches("select, input[type=checkbox], input[type=date]")) form.requestSubmit();
}

function onSubmit(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  if (form.matches("[data-autosubmit]")) {
    for (const field of form.elements) {
      if (field.name && field.value === "" && !("keepEmpty" in field.dataset)) field.disabled = true;
    }
    return;
  }
  if (form.method === "post" && !form.hasAttribute("hx-post")) {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    window.setTimeout(() => delete form.dataset.sent, 5000);
  }
}

/* Going back restores the page with the empty filters still switched off. */
function onShow() {
  for (const field of document.querySelectorAll("form[data-autosubmit] :disabled")) field.disabled = false;
}

export function notify(text, tone = "bad") {
  const place = document.getElementById("messages");
  if (!place) return;
  const box = document.createElement("div");
  box.className = `note-box note-${tone}`;
  box.setAttribute("role", "alert");
  const words = document.createElement("div");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "icon-button";
  close.dataset.dismiss = "";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "×";
  box.append(words, close);
  place.replaceChildren(box);
}

document.addEventListener("click", onClick);
document.addEventListener("keydown", onKey);
document.addEventListener("change", onChange);
document.addEventListener("submit", onSubmit);
window.addEventListener("pageshow", onShow);
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  const words = {
    403: "Your role does not allow that.",
    404: "That record is no longer there. Reload the page to see what is.",
    429: "Too many requests in a short time. Wait a moment and try again.",
  };
  notify(words[status] ?? `The server could not do that (error ${status}). Nothing was changed; try again.`);
});
document.addEventListener("htmx:sendError", () => notify("The server could not be reached. Check the connection and try again."));
showTheme();
if (root.dataset.side === "folded") document.querySelector("[data-fold]")?.setAttribute("aria-expanded", "false");
