/* The rule of a list: shown in the list by its address, or kept in a saved view. The builder calls note() and save(). */
import { ApiError, call } from "./api.js";
import { h } from "./dom.js";

/* Servers and browsers cut longer addresses. */
const LONGEST = 3500;

export class ListSaver {
  constructor(app) {
    this.app = app;
    this.form = document.querySelector("[data-save-form]");
    this.place = document.querySelector("[data-save-note]");
    this.nameForm = document.querySelector("[data-new-view]");
    this.leaving = false;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    document.querySelector("[data-save-view]")?.addEventListener("click", () => this.keep({}));
    this.nameForm.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.nameForm.elements.view_name.value.trim();
      if (name) this.keep({ name });
      else this.nameError("Give the view a name.");
    });
  }

  note(text, tone = "warn") {
    this.place.replaceChildren(...(text ? [h("div", { class: `note-box note-${tone}`, role: tone === "bad" ? "alert" : "status" }, h("div", {}, text))] : []));
  }

  nameError(text) {
    const place = document.getElementById("rule-view-error");
    place.textContent = text;
    place.hidden = !text;
    this.nameForm.elements.view_name.toggleAttribute("aria-invalid", Boolean(text));
    if (text) this.nameForm.elements.view_name.focus();
  }

  /* The finished rule, or null after saying what is missing. */
  rules() {
    const built = this.app.build();
    if (!built.missing?.length) return built.body.rules;
    this.nameForm.closest("dialog").close();
    this.note(this.app.root.rules.length ? "Finish the marked lines first." : "Add at least one condition first.");
    this.app.element.classList.add("tried");
    this.app.element.querySelector(".sb-error:not([hidden])")?.scrollIntoView({ block: "center" });
    return null;
  }

  leave(url) {
    this.leaving = true;
    window.location.assign(url);
  }

  save() {
    const rules = this.rules();
    if (!rules) return;
    const params = new URLSearchParams(this.form.dataset.params);
    params.set("rules", JSON.stringify(rules));
    const url = `${this.form.dataset.listUrl}?${params}`;
    if (url.length > LONGEST) this.note("This rule is too long for an address. Save it as a view: then it may be of any length.");
    else this.leave(url);
  }

  async keep(values) {
    const rules = this.rules();
    if (!rules || this.busy) return;
    this.busy = true;
    const { view, viewsUrl, record, listUrl } = this.form.dataset;
    const query = JSON.parse(document.getElementById("list-query").textContent);
    try {
      const saved = view
        ? await call("PATCH", `${viewsUrl}${view}/`, { body: { rules } })
        : await call("POST", viewsUrl, { body: { ...values, record, query, rules } });
      this.leave(`${listUrl}?view=${saved.id}`);
    } catch (error) {
      this.refused(error);
    } finally {
      this.busy = false;
    }
  }

  refused(error) {
    if (!(error instanceof ApiError)) {
      this.note("The server could not be reached. What you built is kept here; try again.", "bad");
      return;
    }
    const first = error.errors[0];
    const words = first ? first.message : error.message;
    const isName = first && (first.field === "name" || first.path?.[0] === "name");
    this.nameError(isName ? words : "");
    if (!isName) this.nameForm.closest("dialog").close();
    this.note(isName ? "" : `Not saved: ${words}`, "bad");
  }
}
