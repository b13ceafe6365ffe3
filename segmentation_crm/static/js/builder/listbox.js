/* A list of options under an input: arrows move, Enter takes, Escape closes; the input keeps the focus (ARIA combobox). */
import { dot, freshId, h } from "./dom.js";

const LEAVE_MS = 120;

export class Listbox {
  /* input: the combobox; anchor: the positioned box that the list hangs from; onPick(option). */
  constructor({ input, anchor, onPick, onClose = () => {}, multiple = false }) {
    this.input = input;
    this.anchor = anchor;
    this.onPick = onPick;
    this.onClose = onClose;
    this.options = [];
    this.active = -1;
    this.open = false;
    this.element = h("div", { class: "sb-list", role: "listbox", id: freshId("list"), hidden: true });
    if (multiple) this.element.setAttribute("aria-multiselectable", "true");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", this.element.id);
    input.setAttribute("autocomplete", "off");
    input.addEventListener("keydown", (event) => this.onKey(event));
    input.addEventListener("blur", () => window.setTimeout(() => this.hide(), LEAVE_MS));
    // The input must not lose its focus to the list; a click on an option is read from mousedown on.
    this.element.addEventListener("mousedown", (event) => event.preventDefault());
    this.element.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.pick(Number(row.dataset.index));
    });
  }

  /* sections: [{label, options: [{value, label, sub, family, selected, quiet}]}]; note: words where there is nothing. */
  show(sections, note = "") {
    this.options = sections.flatMap((section) => section.options);
    const rows = [];
    let index = 0;
    for (const section of sections) {
      if (!section.options.length) continue;
      const labelId = freshId("sec");
      const group = h("div", { role: "group", "aria-labelledby": section.label ? labelId : undefined });
      if (section.label) group.append(h("div", { class: "sb-list-head", id: labelId }, section.label));
      for (const option of section.options) group.append(this.row(option, index++));
      rows.push(group);
    }
    if (!this.options.length) rows.push(h("div", { class: "sb-list-note" }, note || "Nothing found."));
    this.element.replaceChildren(...rows);
    if (!this.element.isConnected) this.anchor.append(this.element);
    this.element.hidden = false;
    this.open = true;
    this.input.setAttribute("aria-expanded", "true");
    this.setActive(this.options.findIndex((option) => !option.quiet));
  }

  row(option, index) {
    const row = h(
      "div",
      {
        class: `sb-option${option.quiet ? " quiet" : ""}`, role: "option", id: `${this.element.id}-${index}`,
        "data-index": index, "aria-selected": option.selected ? "true" : "false", title: option.help || undefined,
      },
      option.family ? dot(option.family) : null,
      h("span", { class: "sb-option-label" }, option.label),
      option.sub ? h("small", {}, option.sub) : null,
    );
    return row;
  }

  setActive(index) {
    this.element.querySelector(".active")?.classList.remove("active");
    this.active = index;
    const row = this.element.querySelector(`[data-index="${index}"]`);
    if (!row) {
      this.input.removeAttribute("aria-activedescendant");
      return;
    }
    row.classList.add("active");
    this.input.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  onKey(event) {
    if (!this.open) return;
    const last = this.options.length - 1;
    const moves = { ArrowDown: Math.min(last, this.active + 1), ArrowUp: Math.max(0, this.active - 1), PageDown: Math.min(last, this.active + 8), PageUp: Math.max(0, this.active - 8) };
    if (event.key in moves) {
      event.preventDefault();
      event.stopPropagation();
      this.setActive(moves[event.key]);
    } else if (event.key === "Enter" && this.active >= 0) {
      event.preventDefault();
      this.pick(this.active);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.hide();
    }
  }

  pick(index) {
    const option = this.options[index];
    if (option) this.onPick(option);
  }

  hide() {
    if (!this.open) return;
    this.open = false;
    this.active = -1;
    this.element.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.onClose();
  }
}
