/* The command palette, the list of keys, "g then a letter", and noting which record is open. */
import { keysAreOn, setKeysOn, isTyping } from "./keys.js";

const palette = document.getElementById("palette");
const input = palette?.querySelector("input");
const list = document.getElementById("palette-list");
const state = palette?.querySelector(".palette-state");
const shortcuts = document.getElementById("shortcuts");
let options = [];
let chosen = -1;
let asked = 0;
let timer = 0;
let waiting = null;

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "ico");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${palette.dataset.sprite}#${name}`);
  svg.append(use);
  return svg;
}

function initials(label) {
  const words = label.split(/\s+/).filter(Boolean);
  return words.length ? (words[0][0] + (words.length > 1 ? words[words.length - 1][0] : "")).toUpperCase() : "?";
}

function mark(item) {
  if (!item.shape) return icon(item.icon || "arrow-right");
  const avatar = document.createElement("span");
  avatar.className = `avatar-i${item.shape === "company" ? " square" : ""}`;
  avatar.setAttribute("aria-hidden", "true");
  avatar.textContent = initials(item.label);
  return avatar;
}

function row(item) {
  const option = document.createElement("a");
  option.className = "palette-row";
  option.id = `palette-${options.length}`;
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  option.tabIndex = -1;
  option.href = item.url || "#";
  if (item.command) option.dataset.command = item.command;
  const words = document.createElement("span");
  words.className = "palette-words";
  words.textContent = item.label;
  const sub = document.createElement("small");
  sub.textContent = item.sub || "";
  option.append(mark(item), words, sub);
  options.push(option);
  return option;
}

function show(groups) {
  options = [];
  list.replaceChildren(
    ...groups.map((group, number) => {
      const box = document.createElement("div");
      box.setAttribute("role", "group");
      const title = document.createElement("div");
      title.className = "palette-title";
      title.id = `palette-group-${number}`;
      title.textContent = group.title;
      box.setAttribute("aria-labelledby", title.id);
      box.append(title, ...group.items.map(row));
      return box;
    }),
  );
  choose(options.length ? 0 : -1);
  const text = input.value.trim();
  state.textContent = options.length ? "" : text ? "Nothing found. Try fewer letters, an e-mail address or a web domain." : "";
}

function choose(number) {
  options[chosen]?.setAttribute("aria-selected", "false");
  chosen = number;
  const option = options[chosen];
  if (!option) {
    input.removeAttribute("aria-activedescendant");
    return;
  }
  option.setAttribute("aria-selected", "true");
  input.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

async function ask() {
  const mine = ++asked;
  waiting = fetchGroups(input.value.trim());
  const groups = await waiting;
  if (mine === asked && groups) show(groups);
}

async function fetchGroups(text) {
  const address = new URL(palette.dataset.paletteUrl, window.location.href);
  if (text) address.searchParams.set("q", text);
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()).groups;
  } catch {
    state.textContent = "The server could not be reached. Press Enter to search on a page of its own.";
    return null;
  }
}

export function openPalette() {
  if (!palette || palette.open || document.querySelector("dialog[open]")) return;
  input.value = "";
  palette.showModal();
  input.focus();
  ask();
}

function run(command) {
  const [verb, what] = command.split(":");
  palette.close();
  if (verb === "theme") document.querySelector(`[data-theme-set="${what}"]`)?.click();
  else if (verb === "log") document.dispatchEvent(new CustomEvent("crm:log", { detail: { what } }));
  else if (verb === "shortcuts") showShortcuts();
}

function take(option, newTab) {
  if (option.dataset.command) run(option.dataset.command);
  else if (newTab) window.open(option.href, "_blank", "noopener");
  else window.location.assign(option.href);
}

async function enter(newTab) {
  window.clearTimeout(timer);
  const text = input.value.trim();
  // What is shown may answer an earlier text: wait for the answer to this one.
  if (timer) await ask();
  else await waiting;
  timer = 0;
  if (options[chosen]) take(options[chosen], newTab);
  else if (text) window.location.assign(`${palette.dataset.searchUrl}?q=${encodeURIComponent(text)}`);
}

function onPaletteKey(event) {
  const last = options.length - 1;
  if (event.key === "ArrowDown") choose(chosen >= last ? 0 : chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen <= 0 ? last : chosen - 1);
  else if (event.key === "Enter") enter(event.ctrlKey || event.metaKey);
  else return;
  event.preventDefault();
}

function showShortcuts() {
  const box = shortcuts.querySelector("[data-single-keys]");
  box.checked = keysAreOn();
  shortcuts.showModal();
}

let going = 0;
function onKey(event) {
  const combined = event.ctrlKey || event.metaKey;
  if (combined && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (combined || event.altKey || isTyping(event.target) || !keysAreOn() || document.querySelector("dialog[open]")) return;
  if (Date.now() - going < 1200) {
    going = 0;
    document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  if (event.key === "/") openPalette();
  else if (event.key === "?") showShortcuts();
  else if (event.key === "g") going = Date.now();
  else if (event.key === "[") document.querySelector("[data-fold]")?.click();
  else return;
  event.preventDefault();
}

/* Which record is open is told after the page stands, so that opening it never waits for a write. */
function tellOpened() {
  const record = document.getElementById("main")?.dataset.record;
  const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value;
  if (!record || !token || !navigator.sendBeacon) return;
  const form = new FormData();
  form.append("record", record);
  form.append("csrfmiddlewaretoken", token);
  navigator.sendBeacon(palette.dataset.openedUrl, form);
}

if (palette) {
  input.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      timer = 0;
      ask();
    }, 120);
  });
  input.addEventListener("keydown", onPaletteKey);
  list.addEventListener("click", (event) => {
    const option = event.target instanceof Element ? event.target.closest("[data-command]") : null;
    if (!option) return;
    event.preventDefault();
    run(option.dataset.command);
  });
  palette.addEventListener("click", (event) => {
    if (event.target === palette) palette.close();
  });
  shortcuts.querySelector("[data-single-keys]").addEventListener("change", (event) => setKeysOn(event.target.checked));
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const box = event.target instanceof Element ? event.target.closest("[data-find]") : null;
    if (box) openPalette();
  });
  if (document.readyState === "complete") tellOpened();
  else window.addEventListener("load", tellOpened);
}
