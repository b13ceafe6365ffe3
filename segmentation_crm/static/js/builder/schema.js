/* What the server says can be asked (GET /segments/fields/), with look-ups by key as seen from a record. */

export class Schema {
  constructor(data) {
    this.data = data;
    this.records = new Map(data.records.map((record) => [record.prefix, record]));
    this.fields = new Map(data.fields.map((field) => [field.key, field]));
    this.byRecord = new Map();
    for (const field of data.fields) {
      if (!this.byRecord.has(field.record)) this.byRecord.set(field.record, []);
      this.byRecord.get(field.record).push(field);
    }
    this.relationsByOwner = new Map();
    this.relationByKey = new Map();
    for (const relation of data.relations) {
      this.relationByKey.set(relation.key, relation);
      if (!this.relationsByOwner.has(relation.owner)) this.relationsByOwner.set(relation.owner, []);
      this.relationsByOwner.get(relation.owner).push(relation);
    }
    this.families = new Map(data.families.map((family) => [family.value, family.label]));
    this.families.set("segment", "Segments");
  }

  /* A context is {record, relation}: the record whose fields a group's keys name, inside which relation. */
  prefixes(context) {
    const record = this.records.get(context.record);
    const hops = (record?.to_one ?? []).map((hop) => ({ ...hop, own: false }));
    return [{ prefix: context.record, record: context.record, label: record?.singular ?? context.record, own: true }, ...hops];
  }

  fieldOptions(context) {
    const found = [];
    for (const extra of context.relation?.extra ?? []) {
      found.push({ key: extra.key, field: extra, via: "", own: true });
    }
    for (const hop of this.prefixes(context)) {
      for (const field of this.byRecord.get(hop.record) ?? []) {
        const key = `${hop.prefix}.${field.key.slice(field.record.length + 1)}`;
        found.push({ key, field, via: hop.label.toLowerCase(), own: hop.own });
      }
    }
    return found;
  }

  split(key, context) {
    const hops = this.prefixes(context).filter((hop) => key.startsWith(`${hop.prefix}.`));
    hops.sort((a, b) => b.prefix.length - a.prefix.length);
    return hops;
  }

  field(key, context) {
    const extra = context.relation?.extra?.find((item) => item.key === key);
    if (extra) return { key, field: extra, via: this.records.get(context.record)?.singular ?? "" };
    for (const hop of this.split(key, context)) {
      const field = this.fields.get(`${hop.record}.${key.slice(hop.prefix.length + 1)}`);
      if (field) return { key, field, via: hop.label.toLowerCase() };
    }
    return null;
  }

  relationOptions(context) {
    const found = [];
    for (const hop of this.prefixes(context)) {
      if (hop.prefix.includes(".")) continue;
      for (const relation of this.relationsByOwner.get(hop.record) ?? []) {
        found.push({ key: `${hop.prefix}.${relation.key.slice(relation.owner.length + 1)}`, relation, via: hop.label, own: hop.own });
      }
    }
    return found;
  }

  relation(key, context) {
    return this.relationOptions(context).find((option) => option.key === key) ?? null;
  }

  segmentKeys(context) {
    const keys = [];
    for (const hop of this.prefixes(context)) {
      if (!["account", "contact"].includes(hop.record) || hop.prefix.includes(".")) continue;
      keys.push({ key: hop.own ? "segment" : `${hop.prefix}.segment`, record: hop.record, via: hop.own ? "" : hop.label });
    }
    return keys;
  }

  operatorsOf(type, field = null, context = {}) {
    const set = field?.operators ?? type;
    const found = this.data.operators[set] ?? [];
    return context.relation ? found.filter((item) => item.operand !== "share") : found;
  }

  operator(type, field, name) {
    return this.operatorsOf(type, field).find((item) => item.operator === name) ?? null;
  }

  functions() {
    return this.data.functions;
  }

  functionNamed(name) {
    return this.data.functions.find((item) => item.function === name) ?? null;
  }

  /* The type of an aggregate's figure decides its operators and its control. */
  resultType(name, ofField) {
    const found = this.functionNamed(name);
    if (!found) return "integer";
    if (found.result === "same") return ofField?.type ?? "decimal";
    if (found.result === "mean") return ofField && ofField.type !== "integer" ? ofField.type : "decimal";
    return found.result;
  }
}
