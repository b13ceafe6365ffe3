/* Saving: POST a new segment or PATCH a known one with If-Match; nothing typed is lost when the server refuses. */
import { ApiError, call } from "./api.js";
import { h } from "./dom.js";
import { agreed } from "./impact.js";

export class Saver {
  constructor(app) {
    this.app = app;
    this.form = document.querySelector("[data-save-form]");
    this.place = document.querySelector("[data-save-note]");
    this.version = this.form.dataset.version;
    this.url = this.form.dataset.url;
    this.leaving = false;
    for (const button of document.querySelectorAll("[data-save]")) button.addEventListener("click", () => this.save(button.dataset.save));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save("active");
    });
    this.form.elements.name.addEventListener("input", () => this.fieldError("name", ""));
  }

  note(text, tone = "warn", ...more) {
    this.place.replaceChildren(...(text ? [h("div", { class: `note-box note-${tone}`, role: tone === "bad" ? "alert" : "status" }, h("div", {}, text, " ", ...more))] : []));
  }

  fieldError(name, message) {
    const field = this.form.elements[name];
    const place = document.querySelector(`[data-error-for="${name}"]`);
    if (!field || !place) return false;
    place.textContent = message;
    place.hidden = !message;
    field.toggleAttribute("aria-invalid", Boolean(message));
    field.classList.toggle("is-invalid", Boolean(message));
    return true;
  }

  values(status) {
    const form = this.form.elements;
    const values = {
      name: form.name.value.trim(),
      description: form.description.value.trim(),
      kind_of_use: form.kind_of_use.value,
      objective: form.objective?.value ?? "",
      status,
    };
    if (form.parent) values.parent = form.parent.value || null;
    if (!this.isNew()) return values;
    return { ...values, member_type: this.app.memberType, kind: form.kind?.value || "dynamic" };
  }

  isNew() {
    return !this.app.segmentId;
  }

  async save(status, version = this.version) {
    if (this.busy) return;
    const built = this.app.build();
    const name = this.form.elements.name;
    if (!name.value.trim()) {
      this.fieldError("name", "Give the segment a name.");
      name.focus();
      return;
    }
    if (built.missing?.length) {
      this.note(this.app.root.rules.length ? "Finish the marked lines, then save." : "Add at least one condition, then save.");
      this.app.element.classList.add("tried");
      this.app.element.querySelector(".sb-error:not([hidden])")?.scrollIntoView({ block: "center" });
      return;
    }
    this.setBusy(true);
    if (this.isAsked() && !(await agreed(this.form.dataset.impactUrl, built.body.rules, this.app.memberType, this.app.recordPath()))) {
      this.setBusy(false);
      return;
    }
    try {
      const body = { ...this.values(status), rules: built.body.rules };
      const headers = this.isNew() ? {} : { "If-Match": `"${version}"` };
      const saved = await call(this.isNew() ? "POST" : "PATCH", this.url, { body, headers });
      this.leaving = true;
      window.location.assign(this.form.dataset.detailUrl.replace("__slug__", saved.slug));
    } catch (error) {
      this.setBusy(false);
      this.refused(error, status, built.paths);
    }
  }

  /* A changed rule of a segment that has members, or that others read, is shown before it is saved. */
  isAsked() {
    const changed = this.app.snapshot() !== this.app.saved || "resumed" in this.form.dataset;
    return !this.isNew() && changed && Boolean(this.form.dataset.impactUrl);
  }

  /* Shows both versions and what they began with; what was built here travels along. */
  toConflict(status) {
    const { status: _, ...fields } = this.values(status);
    const values = {
      csrfmiddlewaretoken: this.form.dataset.csrf,
      mine: JSON.stringify(this.app.build().body.rules),
      fields: JSON.stringify(fields),
      base: this.form.dataset.rulesVersion,
    };
    const form = h("form", { method: "post", action: this.form.dataset.conflictUrl, hidden: true }, Object.entries(values).map(([name, value]) => h("input", { type: "hidden", name, value })));
    document.body.append(form);
    this.leaving = true;
    form.submit();
  }

  setBusy(busy) {
    this.busy = busy;
    for (const button of document.querySelectorAll("[data-save]")) button.disabled = busy;
  }

  refused(error, status, paths) {
    if (!(error instanceof ApiError)) {
      this.note("The server could not be reached. What you built is kept here; try to save again.", "bad");
      return;
    }
    if (error.status === 412) {
      this.toConflict(status);
      return;
    }
    let placed = false;
    for (const item of error.errors) {
      const isRule = item.path?.[0] === "rules" || typeof item.path?.[0] === "number" || !item.path?.length;
      if (isRule) this.app.showErrorAt(item.path ?? [], item.message, paths);
      placed = (isRule ? false : this.fieldError(item.path[0], item.message)) || placed;
    }
    this.note(error.errors.length ? `Not saved yet: ${error.errors[0].message}` : `Not saved: ${error.message}`, "bad");
    if (placed) this.form.querySelector("[aria-invalid]")?.focus();
  }
}
