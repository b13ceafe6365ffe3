/* The quiet line "40 undecided: data is missing". It is asked for after the count, once the hands rest. */
import { call } from "./api.js";
import { formatNumber, h } from "./dom.js";

const REST_MS = 900;
const FIELDS_TOLD = 3;
const LONGEST_ADDRESS = 6000;

export class Undecided {
  /* panel: where the line stands; app: the builder, for words; url: of previews; listUrl: of the worklist. */
  constructor(panel, app, url, listUrl) {
    Object.assign(this, { panel, app, url, listUrl });
    this.timer = 0;
    this.running = null;
  }

  clear() {
    window.clearTimeout(this.timer);
    this.running?.abort();
    this.running = null;
    this.panel.hidden = true;
    this.panel.replaceChildren();
  }

  ask(body) {
    this.clear();
    this.timer = window.setTimeout(() => this.send(body), REST_MS);
  }

  async send(body) {
    const controller = new AbortController();
    this.running = controller;
    try {
      const result = await call("POST", this.url, { body: { ...body, undecided: true }, signal: controller.signal });
      if (this.running === controller) this.show(result.undecided, body);
    } catch {
      /* The count stands by itself; this line may be missing. */
    }
  }

  show(found, body) {
    if (!found?.count) return;
    const words = `${found.upper_bound ? "Up to " : ""}${formatNumber(found.count)} undecided`;
    const address = this.addressOf(body);
    const told = found.fields.filter((field) => field.settles).slice(0, FIELDS_TOLD);
    this.panel.replaceChildren(
      h("p", { class: "mb-0" }, address ? h("a", { href: address }, words) : words, ": data is missing."),
      ...told.map((field) => h("p", { class: "muted small mb-0" }, `${this.labelOf(field.field)} would settle ${formatNumber(field.settles)} of them.`)),
    );
    this.panel.hidden = false;
  }

  labelOf(key) {
    const found = this.app.schema.field(key, this.app.context());
    if (!found) return key;
    const own = this.app.singular(this.app.memberType);
    return found.via && found.via !== own ? `${found.field.label} of the ${found.via}` : found.field.label;
  }

  addressOf(body) {
    if (!["account", "contact"].includes(body.member_type)) return "";
    const query = new URLSearchParams({ member_type: body.member_type, rules: JSON.stringify(body.rules) });
    const address = `${this.listUrl}?${query}`;
    return address.length > LONGEST_ADDRESS ? "" : address;
  }
}
