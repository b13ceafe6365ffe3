/* Choosing rows of a list: one, a range, the page, all that the list shows; what is chosen survives paging. */

const bar = document.querySelector("[data-bulk]");

function stored(key) {
  try {
    return JSON.parse(window.sessionStorage.getItem(key) ?? "[]");
  } catch {
    return []; // storage may be blocked: what is chosen then holds until the page is left
  }
}

function store(key, pks) {
  try {
    if (pks.size) window.sessionStorage.setItem(key, JSON.stringify([...pks]));
    else window.sessionStorage.removeItem(key);
  } catch {
    // as above
  }
}

class Selection {
  constructor(root) {
    this.root = root;
    this.key = `crm-chosen:${root.dataset.bulk}:${root.dataset.query}`;
    this.pks = new Set(stored(this.key));
    this.everything = false;
    this.last = null;
    this.pageBox = document.querySelector("[data-select-page]");
    if (this.pageBox) this.pageBox.disabled = false;
    root.dataset.live = "";
    document.addEventListener("click", (event) => this.onClick(event));
    this.show();
  }

  get boxes() {
    return [...document.querySelectorAll('input[name="pk"][form="bulk-form"]')];
  }

  onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    if (target.matches('input[name="pk"][form="bulk-form"]')) this.tick(target, event.shiftKey);
    else if (target === this.pageBox) this.tickPage(target.checked);
    else if (target.closest("[data-bulk-all]")) this.tickAll();
    else if (target.closest("[data-bulk-clear]")) this.clear();
  }

  tick(box, isRange) {
    this.everything = false;
    const boxes = this.boxes;
    const from = isRange && this.last ? boxes.indexOf(this.last) : -1;
    const to = boxes.indexOf(box);
    const range = from < 0 ? [box] : boxes.slice(Math.min(from, to), Math.max(from, to) + 1);
    for (const one of range) this.put(one, box.checked);
    this.last = box;
    this.show();
  }

  put(box, wanted) {
    box.checked = wanted;
    if (wanted) this.pks.add(box.value);
    else this.pks.delete(box.value);
  }

  tickPage(wanted) {
    this.everything = false;
    for (const box of this.boxes) this.put(box, wanted);
    this.show();
  }

  tickAll() {
    this.everything = true;
    this.show();
    this.root.querySelector("[data-bulk-clear]").focus();
  }

  clear() {
    this.everything = false;
    this.pks.clear();
    this.show();
    this.pageBox?.focus();
  }

  words() {
    const { unit, units } = this.root.dataset;
    if (this.everything) return `All ${units} that this list shows are chosen`;
    if (!this.pks.size) return "";
    return `${this.pks.size.toLocaleString("en")} ${this.pks.size === 1 ? unit : units} chosen`;
  }

  show() {
    const boxes = this.boxes;
    for (const box of boxes) {
      box.checked = this.everything || this.pks.has(box.value);
      box.closest("tr")?.classList.toggle("is-chosen", box.checked);
    }
    const ticked = boxes.filter((box) => box.checked).length;
    if (this.pageBox) {
      this.pageBox.checked = boxes.length > 0 && ticked === boxes.length;
      this.pageBox.indeterminate = ticked > 0 && ticked < boxes.length;
    }
    const any = this.everything || this.pks.size > 0;
    this.root.classList.toggle("has-chosen", any);
    this.root.querySelector("[data-bulk-count]").textContent = this.words();
    this.root.querySelector("[data-bulk-all]").hidden = this.everything || ticked < boxes.length || !boxes.length;
    this.root.querySelector("[data-bulk-clear]").hidden = !any;
    for (const field of this.root.querySelectorAll("[data-bulk-pks]")) field.value = this.everything ? "" : [...this.pks].join(",");
    for (const field of this.root.querySelectorAll("[data-bulk-everything]")) field.value = this.everything ? "1" : "";
    for (const label of document.querySelectorAll("[data-bulk-export-label]")) label.textContent = any && !this.everything ? "Export chosen" : "Export";
    store(this.key, this.pks);
  }
}

const selection = bar ? new Selection(bar) : null;

/* --- the dialog that asks what to do --- */
function onSwap() {
  const dialog = document.getElementById("bulk-dialog");
  const act = document.getElementById("bulk-act");
  if (!dialog || !act || !dialog.contains(act) || !act.childElementCount) return;
  if (!dialog.open) dialog.showModal();
  const first = act.querySelector(".has-error input, .has-error select, select, input:not([type=hidden]), button[type=submit]");
  first?.focus();
}

function onReload(event) {
  const control = event.target instanceof Element ? event.target.closest("[data-reload]") : null;
  const form = control?.closest("form");
  if (!form) return;
  const query = new URLSearchParams({ [control.name]: control.value });
  window.htmx.ajax("GET", `${form.getAttribute("action")}?${query}`, { target: "#bulk-act", swap: "outerHTML" });
}

document.addEventListener("change", onReload);
document.addEventListener("htmx:afterSettle", onSwap);
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-dialog-close]") : null;
  if (link?.closest("dialog")) event.preventDefault();
});
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.getResponseHeader("HX-Redirect") && selection) selection.clear();
});
