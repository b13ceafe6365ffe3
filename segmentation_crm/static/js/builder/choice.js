/* A box of chips with search as one types: closed lists, references, trees, free texts; one value or several. */
import { h, icon } from "./dom.js";
import { Listbox } from "./listbox.js";

const TYPING_MS = 150;

/*
 * source(text) -> Promise<[{value, label, sub}]>; label(value) -> Promise<string> | string; free: typed text is a value.
 * onChange(values) gets the plain values. The box draws itself again on each change and keeps the focus.
 */
export class ChoiceBox {
  constructor({ values, multiple, source, label, free = false, placeholder, name, focusKey, onChange }) {
    this.values = [...values];
    Object.assign(this, { multiple, source, label, free, placeholder, name, onChange });
    this.input = h("input", { class: "sb-choice-input", type: "text", "aria-label": name, "data-focus": focusKey, maxlength: 1000, spellcheck: "false" });
    this.chips = h("span", { class: "sb-chips" });
    this.element = h("span", { class: "sb-value sb-choice" }, this.chips, this.input);
    this.list = new Listbox({ input: this.input, anchor: this.element, onPick: (option) => this.take(option), multiple });
    this.element.addEventListener("click", (event) => {
      if (event.target.closest("button, .sb-list")) return;
      this.input.focus();
      this.search();
    });
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("blur", () => this.leave());
    this.drawChips();
  }

  drawChips() {
    this.chips.replaceChildren(...this.values.map((value) => this.chip(value)));
    this.input.placeholder = this.values.length ? "" : this.placeholder;
    this.element.classList.toggle("filled", this.values.length > 0);
    this.element.classList.toggle("one", !this.multiple);
  }

  chip(value) {
    const text = h("span", {}, String(value));
    const remove = h("button", { type: "button", class: "sb-chip-x", "aria-label": `Remove ${value}`, onclick: () => this.remove(value) }, icon("x"));
    Promise.resolve(this.label ? this.label(value) : value).then((label) => {
      text.textContent = label;
      remove.setAttribute("aria-label", `Remove ${label}`);
    });
    return h("span", { class: "sb-chip" }, text, remove);
  }

  later() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.search(), TYPING_MS);
  }

  async search() {
    const text = this.input.value.trim();
    const asked = (this.asked = (this.asked ?? 0) + 1);
    let found = [];
    let note = "";
    try {
      found = await this.source(text);
    } catch (error) {
      note = error.message;
    }
    if (asked !== this.asked || document.activeElement !== this.input) return;
    const options = found.filter((option) => !this.values.includes(option.value));
    if (this.free && text && !this.values.includes(text)) {
      const exact = options.findIndex((option) => option.label.toLowerCase() === text.toLowerCase());
      if (exact < 0) options.unshift({ value: text, label: `“${text}”`, sub: "as typed", typed: true });
    }
    if (!options.length && this.free && !text) {
      this.list.hide();
      return;
    }
    this.list.show([{ options }], note || (text ? `Nothing found for “${text}”.` : "Nothing to choose from yet."));
  }

  take(option) {
    if (this.multiple) this.values.push(option.value);
    else this.values = [option.value];
    this.input.value = "";
    this.changed();
    if (this.multiple) this.search();
    else this.list.hide();
  }

  remove(value) {
    this.values = this.values.filter((item) => item !== value);
    this.changed();
    this.input.focus();
  }

  changed() {
    this.drawChips();
    this.onChange([...this.values]);
  }

  onKey(event) {
    if (event.key === "Backspace" && !this.input.value && this.values.length) {
      this.remove(this.values.at(-1));
    } else if (event.key === "ArrowDown" && !this.list.open) {
      event.preventDefault();
      this.search();
    } else if (this.free && (event.key === "Enter" || event.key === ",") && this.input.value.trim() && !this.list.open) {
      event.preventDefault();
      this.take({ value: this.input.value.trim() });
    }
  }

  /* What was typed and left standing is a value, not lost. */
  leave() {
    window.clearTimeout(this.timer);
    const text = this.input.value.trim();
    if (this.free && text && !this.values.includes(text)) this.take({ value: text });
    else if (!this.free) this.input.value = "";
  }
}
