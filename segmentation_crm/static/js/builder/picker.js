/* The field picker: a button that opens a searchable, grouped list; everyday fields first, the rest under "more". */
import { dot, h, icon } from "./dom.js";
import { Listbox } from "./listbox.js";

const MOST_FOUND = 60;

/* options: [{key, label, sub, family, group, everyday, help}] */
export class FieldPicker {
  constructor({ options, value, shown, name, focusKey, onPick, searchWords = "Search fields", chevron = false }) {
    Object.assign(this, { options, value, onPick, searchWords });
    this.all = false;
    this.button = h(
      "button",
      { type: "button", class: `sb-field${value ? "" : " blank"}`, "aria-haspopup": "listbox", "aria-expanded": "false", "aria-label": `${name}: ${shown?.label ?? "choose"}`, "data-focus": focusKey, onclick: () => this.toggle() },
      shown ? [shown.family ? dot(shown.family, shown.familyLabel) : null, h("span", { class: "sb-field-label" }, shown.label), shown.sub ? h("small", {}, shown.sub) : null] : h("span", {}, name),
      value && !chevron ? null : icon("chevron-down"),
    );
    this.element = h("span", { class: "sb-picker" }, this.button);
    this.button.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") {
        event.preventDefault();
        this.openPanel();
      }
    });
  }

  toggle() {
    if (this.panel) this.closePanel();
    else this.openPanel();
  }

  openPanel() {
    if (this.panel) return;
    this.input = h("input", { type: "search", class: "sb-search", placeholder: this.searchWords, "aria-label": this.searchWords, spellcheck: "false" });
    this.holder = h("div", { class: "sb-picker-list" });
    this.panel = h("div", { class: "sb-popover" }, h("div", { class: "sb-search-box" }, icon("search"), this.input), this.holder);
    this.element.append(this.panel);
    this.list = new Listbox({ input: this.input, anchor: this.holder, onPick: (option) => this.take(option), onClose: () => this.closePanel() });
    this.input.addEventListener("input", () => this.draw());
    this.button.setAttribute("aria-expanded", "true");
    this.draw();
    this.input.focus();
  }

  closePanel() {
    if (!this.panel) return;
    const hadFocus = this.panel.contains(document.activeElement);
    this.panel.remove();
    this.panel = null;
    this.all = false;
    this.button.setAttribute("aria-expanded", "false");
    if (hadFocus && this.button.isConnected) this.button.focus();
  }

  draw() {
    const text = this.input.value.trim().toLowerCase();
    const found = text ? this.search(text) : this.options.filter((option) => option.everyday || this.all || !this.hasEveryday());
    const sections = new Map();
    for (const option of found) {
      const label = text ? "" : option.group;
      if (!sections.has(label)) sections.set(label, []);
      sections.get(label).push({ ...option, value: option.key, selected: option.key === this.value });
    }
    const shown = [...sections].map(([label, options]) => ({ label, options }));
    if (!text && !this.all && this.hasEveryday() && found.length < this.options.length) {
      const more = { value: "", more: true, label: `More fields (${this.options.length - found.length})`, quiet: true };
      shown.push({ label: "", options: [more] });
    }
    this.list.show(shown, `Nothing is called “${text}”.`);
  }

  hasEveryday() {
    return this.options.some((option) => option.everyday);
  }

  /* Labels that begin with the text first, then those that hold it, then keys and help; the record's own before others'. */
  search(text) {
    const scored = [];
    for (const option of this.options) {
      const label = option.label.toLowerCase();
      const hay = `${label} ${option.sub} ${option.group} ${option.key} ${option.help}`.toLowerCase();
      if (!text.split(/\s+/).every((word) => hay.includes(word))) continue;
      const score = label.startsWith(text) ? 0 : label.includes(text) ? 1 : 2;
      scored.push([score + (option.everyday ? 0 : 0.3) + (option.sub ? 0.5 : 0), option]);
    }
    scored.sort((a, b) => a[0] - b[0]);
    return scored.slice(0, MOST_FOUND).map(([, option]) => option);
  }

  take(option) {
    if (option.more) {
      this.all = true;
      this.draw();
      return;
    }
    this.onPick(option.key);
  }
}
