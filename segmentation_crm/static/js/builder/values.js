/* Look-ups of values that the schema does not list: references, trees, open vocabularies, segments; labels are kept. */
import { call, query } from "./api.js";

/* 35 is an id and "35" a code: the JSON form keeps them apart. */
function labelKey(field, value) {
  return `${field}|${JSON.stringify(value)}`;
}

export class Values {
  constructor(url) {
    this.url = url;
    this.labels = new Map();
    this.waiting = new Map();
  }

  remember(field, results) {
    for (const item of results) this.labels.set(labelKey(field, item.value), item.label);
    return results;
  }

  async search(field, text, extra = {}) {
    const data = await call("GET", query(this.url, { field, q: text, ...extra }));
    return this.remember(field, data.results);
  }

  /* Asked for one by one, sent together: the labels of a stored rule cost one request a field. */
  label(field, value, extra = {}) {
    const key = labelKey(field, value);
    if (this.labels.has(key)) return this.labels.get(key);
    if (!this.waiting.has(field)) {
      const batch = { values: new Set(), promise: null };
      batch.promise = Promise.resolve().then(() => this.fetchLabels(field, batch, extra));
      this.waiting.set(field, batch);
    }
    const batch = this.waiting.get(field);
    batch.values.add(value);
    return batch.promise.then(() => this.labels.get(key) ?? String(value));
  }

  async fetchLabels(field, batch, extra) {
    this.waiting.delete(field);
    try {
      const data = await call("GET", query(this.url, { field, value: [...batch.values].map((value) => JSON.stringify(value)), ...extra }));
      this.remember(field, data.results);
    } catch {
      // The stored key itself is shown then; the preview says what is wrong with it.
    }
  }
}
