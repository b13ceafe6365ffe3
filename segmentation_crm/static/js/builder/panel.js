/* The result panel: how many, what each condition costs, the methods used, a few real members; and the sentence. */
import { dot, formatNumber, h, initials, percentOf } from "./dom.js";

const HINTED = ["firmographic", "technographic", "behavioural", "buying_role", "needs", "sophistication"];
const SLOW_MS = 200;

export class Panel {
  constructor(root, app) {
    this.app = app;
    const get = (name) => root.querySelector(`[data-panel="${name}"]`);
    Object.assign(this, { root, big: get("big"), sub: get("sub"), funnel: get("funnel"), methods: get("methods"), caution: get("caution"), sample: get("sample"), sampleTitle: get("sample-title"), message: get("message"), undecided: get("undecided"), clock: get("clock") });
    this.sentence = document.querySelector("[data-sentence]");
    this.status = document.querySelector("[data-live]");
  }

  waiting(missing) {
    this.calm();
    this.root.dataset.state = "waiting";
    this.say(this.app.root.rules.length ? `${missing.length === 1 ? "One line" : `${missing.length} lines`} to finish before this can be counted.` : "Add a condition to see who is in.", "quiet");
    if (!this.app.root.rules.length) this.clear();
  }

  clear() {
    this.big.textContent = "–";
    this.sub.textContent = "";
    this.funnel.replaceChildren();
    this.showCaution("");
    this.sample.replaceChildren();
    this.root.querySelectorAll("[data-section]").forEach((section) => { section.hidden = section.dataset.section !== "methods"; });
    this.sentence.replaceChildren(h("em", {}, `Which ${this.app.plural(this.app.memberType)} are you looking for? Say it condition by condition; the sentence writes itself.`));
  }

  counting() {
    this.calm();
    this.timer = window.setTimeout(() => { this.root.dataset.state = "counting"; }, SLOW_MS);
  }

  calm() {
    window.clearTimeout(this.timer);
  }

  say(text, tone = "") {
    this.message.hidden = !text;
    this.message.textContent = text;
    this.message.className = `sb-message ${tone}`;
  }

  failed(error) {
    this.calm();
    this.root.dataset.state = "failed";
    const words = {
      422: "This rule takes longer than 5 seconds to count. Narrow it, for example by a shorter time, or save it: the members are computed in the background.",
      429: "Too many counts at once. Wait a moment, then change anything to count again.",
    };
    const lineWords = error.errors?.length ? "Something in the rule needs a correction; see the marked lines." : error.message;
    this.say(words[error.status] ?? (error.status ? lineWords : "The server could not be reached. What you built is kept here; change anything to try again."), "bad");
  }

  done(result) {
    this.calm();
    this.root.dataset.state = "done";
    this.say("");
    this.root.querySelectorAll("[data-section]").forEach((section) => { section.hidden = section.dataset.section === "undecided" && !result.undecided; });
    this.big.textContent = formatNumber(result.count);
    const unit = this.app.noun(result.count);
    const share = percentOf(result.count, result.total);
    const clock = result.duration_ms === undefined ? "" : ` · counted exactly in ${formatNumber(Math.max(1, Math.round(result.duration_ms)))}\u00a0ms`;
    this.sub.textContent = `${unit} · ${share ? `${share} of ` : "of "}${formatNumber(result.total)}${clock}`;
    if (this.status) this.status.textContent = `${formatNumber(result.count)} ${unit} match.`;
    this.showClock(result);
    this.showSentence(result);
    this.showFunnel(result);
    this.showSample(result);
    this.showCaution(result.caution);
  }

  /* All counts of one session speak of one moment and the same data. */
  showClock(result) {
    const at = new Date(result.as_of);
    const words = result.data_changed ? "Data changed since" : "Counted at";
    const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const again = h("button", { type: "button", class: "btn-link", onclick: () => this.app.recount() }, "count anew");
    this.clock.replaceChildren(`${words} ${time} · `, again);
    this.clock.hidden = false;
  }

  showSentence(result) {
    const tags = { value: "b", word: "em", negation: "b", field: "span", plain: "span" };
    const parts = result.sentence_parts?.length ? result.sentence_parts : [{ text: result.sentence, kind: "plain" }];
    this.sentence.replaceChildren(...parts.map((part) => h(tags[part.kind] ?? "span", { class: part.kind === "negation" ? "negation" : undefined }, part.text)));
  }

  showFunnel(result) {
    const steps = result.funnel ?? [];
    const section = this.root.querySelector('[data-section="funnel"]');
    section.hidden = steps.length < 2;
    const rows = [{ label: `All ${this.app.plural(this.app.memberType)}`, count: result.total }, ...steps];
    const widest = Math.max(1, result.total);
    this.funnel.replaceChildren(...rows.map((row) => h(
      "div", { class: "sb-step" },
      h("div", { class: "sb-step-bar", title: row.label }, h("i", { style: `width:${row.count ? Math.max(1.5, (row.count / widest) * 100) : 0}%` }), h("span", {}, row.label)),
      h("div", { class: "num" }, formatNumber(row.count)),
    )));
  }

  showMethods(used) {
    const chips = [...used].map((family) => h("span", { class: "chip" }, dot(family), this.app.schema.families.get(family) ?? family));
    const hints = HINTED.filter((family) => !used.has(family) && this.app.schema.families.has(family)).map((family) => h("span", { class: "chip off" }, this.app.schema.families.get(family)));
    this.methods.replaceChildren(...chips, ...hints);
  }

  showCaution(text) {
    this.caution.hidden = !text;
    this.caution.textContent = text ?? "";
  }

  showSample(result) {
    const shown = result.sample.slice(0, 5);
    const words = { 1: "The one in it", 2: "Both of them", 3: "All three of them", 4: "All four of them", 5: "Five of them" };
    this.sampleTitle.textContent = words[shown.length] ?? "Who they are";
    this.root.querySelector('[data-section="sample"]').hidden = !shown.length;
    const path = this.app.recordPath();
    const lines = result.sample_lines ?? [];
    this.sample.replaceChildren(...shown.map((item, index) => h(
      "div", { class: "sb-who" },
      h("span", { class: `avatar-i${this.app.memberType === "account" ? " square" : ""}`, "aria-hidden": "true" }, initials(item.name)),
      h("div", {}, h("a", { href: path.replace("/0/", `/${item.id}/`) }, item.name), lines[index] ? h("small", {}, lines[index]) : null),
    )));
  }
}
