/* Log from anywhere: opens the dialog, shows the fields of the chosen kind, says what was saved and takes it back. */
import { isTyping, keysAreOn } from "../keys.js";

const dialog = document.getElementById("quick-log");
const body = document.getElementById("quick-log-body");
let cameFrom = null;

function showKind(form) {
  const kind = form.querySelector("[data-log-kind]:checked")?.value ?? "call";
  for (const part of form.querySelectorAll("[data-for]")) {
    part.hidden = !part.dataset.for.split(" ").includes(kind);
  }
}

function address(kind, record) {
  const url = new URL(dialog.dataset.url, window.location.href);
  url.searchParams.set("kind", kind);
  if (record) url.searchParams.set("record", record);
  return url.pathname + url.search;
}

/* Only what the user typed in is worth keeping when the record changes. */
function typed(form) {
  const kept = [];
  for (const field of form.elements) {
    if (["text", "task_title", "next_step", "minutes", "at"].includes(field.name)) kept.push([field.name, field.value]);
    if (field.checked && !["people", "kind", "record"].includes(field.name)) kept.push([field.name, field.value]);
  }
  return kept;
}

function giveBack(form, kept) {
  for (const [name, value] of kept) {
    for (const field of form.elements) {
      if (field.name !== name) continue;
      if (field.type === "checkbox" || field.type === "radio") field.checked = field.checked || field.value === value;
      else field.value = value;
    }
  }
}

async function load(kind, record, kept = []) {
  await window.htmx.ajax("GET", address(kind, record), { target: body, swap: "innerHTML" });
  const form = body.querySelector("[data-log-form]");
  if (!form) return;
  giveBack(form, kept);
  showKind(form);
  const first = form.querySelector("[autofocus]") ?? form.querySelector("[data-log-kind]:checked");
  first?.focus();
}

function open(kind, record) {
  cameFrom = document.activeElement;
  body.replaceChildren();
  dialog.showModal();
  load(kind, record);
}

function here() {
  return document.getElementById("main")?.dataset.record ?? "";
}

function toast(words, undo) {
  const box = document.getElementById("log-toast");
  box.replaceChildren();
  const text = document.createElement("span");
  text.textContent = words;
  box.append(text);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm";
    button.textContent = "Undo";
    button.addEventListener("click", () => window.htmx.ajax("POST", undo, { target: body, swap: "none" }));
    box.append(button);
  }
  box.hidden = false;
  window.clearTimeout(toast.timer);
  toast.timer = window.setTimeout(() => { box.hidden = true; }, 12000);
}

function onClick(event) {
  const target = event.target instanceof Element ? event.target : null;
  const opener = target?.closest("[data-log]");
  if (opener && dialog) {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open(opener.dataset.log || "call", opener.dataset.logRecord || here());
    return;
  }
  const hit = target?.closest("[data-log-pick]");
  if (hit) {
    const form = hit.closest("form");
    const kind = form.querySelector("[data-log-kind]:checked")?.value ?? "call";
    if (body?.contains(form)) load(kind, hit.dataset.logPick, typed(form));
    else window.location.assign(`${form.getAttribute("action")}?kind=${kind}&record=${encodeURIComponent(hit.dataset.logPick)}`);
  }
}

/* Enter in the search of a vocabulary takes the word itself, new or known, else the first that was found. */
function pickTyped(box) {
  const found = box.querySelector("[data-exact]") ?? box.querySelector("input[type=checkbox]");
  found?.click();
}

const isAnswered = (box, search) => box.querySelector("[data-typed]")?.dataset.typed === search.value.trim().replace(/\s+/g, " ");

function onFindKey(event) {
  const search = event.target;
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !(search instanceof HTMLInputElement) || !search.matches(".log-more")) return;
  event.preventDefault();
  const box = document.querySelector(`[data-log-found="${search.closest(".log-chips").id}"]`);
  if (!search.value.trim()) return;
  if (isAnswered(box, search)) pickTyped(box);
  else search.dataset.taking = "1"; // its answer is still under way
}

function onKey(event) {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "l" && plain && dialog && keysAreOn() && !isTyping(document.activeElement) && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    open("call", here());
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = document.activeElement?.closest("[data-log-form]");
    if (form) form.requestSubmit();
  }
}

function onChange(event) {
  const field = event.target;
  if (!(field instanceof HTMLInputElement)) return;
  if (field.matches("[data-log-kind]")) showKind(field.form);
  const found = field.closest("[data-log-found]");
  if (found && field.checked) {
    // A word found by typing joins the chips, so that the next search does not take it away.
    const chips = document.getElementById(found.dataset.logFound);
    const same = [...chips.querySelectorAll("input[type=checkbox]")].find((other) => other.value === field.value);
    if (same) same.checked = true;
    else chips.insertBefore(field.closest("label"), chips.querySelector(".log-more"));
    const search = chips.querySelector(".log-more");
    search.value = "";
    found.replaceChildren();
    search.focus();
  }
}

function onTrouble() {
  if (!dialog?.open) return;
  let box = body.querySelector("[data-log-problem]");
  if (!box) {
    box = document.createElement("div");
    box.className = "note-box note-bad mb-2";
    box.dataset.logProblem = "";
    box.setAttribute("role", "alert");
    (body.querySelector(".log-body") ?? body).prepend(box);
  }
  box.textContent = "It could not be saved: the server did not answer as it should. What you typed is still here; try again.";
}

document.addEventListener("click", onClick);
document.addEventListener("keydown", onKey);
document.addEventListener("keydown", onFindKey);
document.addEventListener("change", onChange);
document.addEventListener("htmx:sendError", onTrouble);
document.addEventListener("htmx:responseError", onTrouble);
document.addEventListener("htmx:afterSwap", (event) => {
  const box = event.target;
  if (!(box instanceof Element) || !box.matches("[data-log-found]")) return;
  const search = document.getElementById(box.dataset.logFound).querySelector(".log-more");
  if (search.dataset.taking && isAnswered(box, search)) {
    delete search.dataset.taking;
    pickTyped(box);
  }
});
document.addEventListener("htmx:afterSwap", (event) => {
  const form = event.target.querySelector?.("[data-log-form]");
  if (!form) return;
  showKind(form);
  form.querySelector("[data-log-problem]")?.focus();
});
document.addEventListener("crm:log", (event) => {
  if (dialog) open(event.detail.what, here());
});
document.body.addEventListener("crm:logged", (event) => {
  if (dialog?.open) dialog.close();
  toast(event.detail.text, event.detail.undo);
});
dialog?.addEventListener("close", () => cameFrom?.focus?.());
for (const form of document.querySelectorAll("[data-log-form]")) showKind(form);
