/* What the server says can be asked (GET /segments/fields/), with look-ups by key as seen from a record. */

const WORDS = { identity: "Identity", buying_role: "Buying role", value: "Customer value" };

function familyLabel(name) {
  const text = name.replace("_", " ");
  return WORDS[name] ?? text[0].toUpperCase() + text.slice(1);
}

export class Schema {
  constructor(data) {
    this.data = data;
    this.records = new Map(data.records.map((record) => [record.record, record]));
    this.fields = new Map(data.fields.map((field) => [field.key, field]));
    this.byRecord = new Map();
    for (const field of data.fields) {
      if (!this.byRecord.has(field.record)) this.byRecord.set(field.record, []);
      this.byRecord.get(field.record).push(field);
    }
    this.relationsByOwner = new Map();
    for (const relation of data.relations) {
      if (!this.relationsByOwner.has(relation.owner)) this.relationsByOwner.set(relation.owner, []);
      this.relationsByOwner.get(relation.owner).push(relation);
    }
    this.operatorsByType = new Map(Object.entries(data.types));
    this.operatorByName = new Map([...data.history_operators, ...Object.values(data.types).flat()].map((item) => [item.name, item]));
    this.notInside = new Set(data.not_inside_related);
    this.families = new Map(data.fields.map((field) => [field.family, familyLabel(field.family)]));
    for (const relation of data.relations) this.families.set(relation.family, familyLabel(relation.family));
    for (const family of data.families ?? []) this.families.set(family.value, family.label);
  }

  /* A context is {record, relation}: the record whose fields a group's keys name, inside which relation. */
  prefixes(context) {
    const record = this.records.get(context.record);
    const words = (hop) => (hop.prefix.endsWith(".parent") ? `parent ${hop.record}` : this.records.get(hop.record)?.singular ?? hop.record);
    const hops = (record?.to_one ?? []).map((hop) => ({ ...hop, label: words(hop), own: false }));
    return [{ prefix: context.record, record: context.record, label: record?.singular ?? context.record, own: true, relations: true }, ...hops];
  }

  fieldOptions(context) {
    const found = [];
    for (const extra of context.relation?.extra_fields ?? []) {
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
    const extra = context.relation?.extra_fields?.find((item) => item.key === key);
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
      if (!hop.relations) continue;
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
      /* Segments of the rule's own type at the top; of the account wherever a record belongs to one. */
      const asked = hop.own ? !context.relation && ["account", "contact"].includes(hop.record) : hop.prefix === "account";
      if (!asked) continue;
      keys.push({ key: hop.own ? "segment" : `${hop.prefix}.segment`, record: hop.record, via: hop.own ? "" : hop.label });
    }
    return keys;
  }

  /* The operators of a field, or of a type; those over the whole population not inside related records. */
  operatorsOf(type, field = null, context = {}) {
    const ofType = this.operatorsByType.get(type) ?? [];
    const known = new Map(ofType.map((item) => [item.name, item]));
    const found = Array.isArray(field?.operators) ? field.operators.map((name) => known.get(name) ?? this.operatorByName.get(name)).filter(Boolean) : ofType;
    return context.relation ? found.filter((item) => !this.notInside.has(item.name)) : found;
  }

  operator(type, field, name) {
    return this.operatorsOf(type, field).find((item) => item.name === name) ?? null;
  }

  functionNamed(name) {
    return this.data.functions.find((item) => item.name === name) ?? null;
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
