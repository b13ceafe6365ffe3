/* The rule as it is edited. Nodes carry an id for the page; toRule gives the rule language, with a map of paths. */
import { freshId } from "./dom.js";

export function newGroup(combinator = "and", rules = []) {
  return { id: freshId("g"), kind: "group", combinator, not: false, rules };
}

export function newCondition(field = "") {
  return { id: freshId("c"), kind: "condition", field, operator: "", value: undefined };
}

export function newRelated(field = "") {
  return { id: freshId("r"), kind: "related", field, mode: "at_least", threshold: 1, group: null };
}

export function newAggregate(field = "") {
  return { id: freshId("a"), kind: "aggregate", field, fn: "count", of: "", ofGroup: null, where: null, operator: "gte", value: undefined };
}

export function newSegment(field = "segment") {
  return { id: freshId("s"), kind: "segment", field, operator: "in", value: [] };
}

export function fromRule(json) {
  if (json.rules) {
    return { id: freshId("g"), kind: "group", combinator: json.combinator ?? "and", not: Boolean(json.not), rules: json.rules.map(fromRule) };
  }
  if (json.match || json.operator === "match") {
    const match = json.match ?? { mode: "some" };
    return {
      id: freshId("r"), kind: "related", field: json.field, mode: match.mode,
      threshold: match.threshold ?? 1, group: json.value ? fromRule(json.value) : null,
    };
  }
  if (json.aggregate) {
    const isRatio = json.aggregate.function === "ratio";
    return {
      id: freshId("a"), kind: "aggregate", field: json.field, fn: json.aggregate.function,
      of: isRatio ? "" : json.aggregate.of ?? "", ofGroup: isRatio && json.aggregate.of ? fromRule(json.aggregate.of) : null,
      where: json.where ? fromRule(json.where) : null, operator: json.operator, value: json.value,
    };
  }
  if (json.field === "segment" || json.field.endsWith(".segment")) {
    return { id: freshId("s"), kind: "segment", field: json.field, operator: json.operator, value: json.value };
  }
  return { id: freshId("c"), kind: "condition", field: json.field, operator: json.operator, value: json.value };
}

/* Fill `paths` (JSON of the path -> node id) on the way, so that counts and errors find their lines. */
export function toRule(node, path = [], paths = new Map()) {
  paths.set(JSON.stringify(path), node.id);
  switch (node.kind) {
    case "group": {
      const rules = node.rules.map((rule, index) => toRule(rule, [...path, "rules", index], paths));
      return { combinator: node.combinator, not: node.not, rules };
    }
    case "related": {
      const match = { mode: node.mode };
      if (["at_least", "at_most", "exactly"].includes(node.mode)) match.threshold = node.threshold;
      const json = { field: node.field, operator: "match", match };
      if (node.group) json.value = toRule(node.group, [...path, "value"], paths);
      return json;
    }
    case "aggregate": {
      const aggregate = { function: node.fn };
      if (node.fn === "ratio") {
        if (node.ofGroup) aggregate.of = toRule(node.ofGroup, [...path, "aggregate", "of"], paths);
      } else if (node.of) aggregate.of = node.of;
      const json = { field: node.field, aggregate, operator: node.operator };
      if (node.where) json.where = toRule(node.where, [...path, "where"], paths);
      if (node.value !== undefined) json.value = node.value;
      return json;
    }
    default: {
      const json = { field: node.field, operator: node.operator };
      if (node.value !== undefined) json.value = node.value;
      return json;
    }
  }
}

export function children(node) {
  if (node.kind === "group") return node.rules;
  return [node.group, node.ofGroup, node.where].filter(Boolean);
}

export function find(root, id, parent = null) {
  if (root.id === id) return { node: root, parent };
  for (const child of children(root)) {
    const found = find(child, id, root);
    if (found) return found;
  }
  return null;
}

export function copyWithNewIds(node) {
  const copy = structuredClone(node);
  const renew = (item) => {
    item.id = freshId(item.id[0]);
    children(item).forEach(renew);
  };
  renew(copy);
  return copy;
}

/* --- what still needs an answer before the server can count --- */
function isBlank(value) {
  if (value === undefined || value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0 || value.some(isBlank);
  if (typeof value === "object") {
    if ("n" in value) return isBlank(value.n) || isBlank(value.unit);
    if ("ago" in value) return isBlank(value.ago);
    if ("ahead" in value) return isBlank(value.ahead);
    if ("segment" in value) return isBlank(value.segment) || isBlank("within" in value ? value.within : value.at);
    if ("for" in value) return isBlank(value.value) || isBlank(value.for);
    if ("operator" in value) return isBlank(value.value);
  }
  return false;
}

/* Returns [{id, message}] for every line that is not finished yet. */
export function unfinished(node, context, schema) {
  const found = [];
  const say = (message) => found.push({ id: node.id, message });
  if (node.kind === "group") {
    if (!node.rules.length) say("Add a condition, or remove this group.");
    for (const rule of node.rules) found.push(...unfinished(rule, context, schema));
    return found;
  }
  if (!node.field) {
    say(node.kind === "condition" ? "Choose a field." : "Choose what it is about.");
    return found;
  }
  if (node.kind === "segment") {
    const segment = Array.isArray(node.value) ? node.value : node.value?.segment;
    if (isBlank(segment)) say("Choose a segment.");
    else if (isBlank(node.value)) say("at" in node.value ? "Choose a date." : "Say how long.");
    return found;
  }
  if (node.kind === "condition") {
    const known = schema.field(node.field, context);
    if (!known) return found;
    const operator = schema.operator(known.field.type, known.field, node.operator);
    if (operator && operator.operand !== "none" && isBlank(node.value)) say("Choose a value.");
    return found;
  }
  const known = schema.relation(node.field, context);
  if (!known) return found;
  const inner = { record: known.relation.record, relation: known.relation };
  if (node.kind === "related") {
    if (["at_least", "at_most", "exactly"].includes(node.mode) && isBlank(node.threshold)) say("Say how many.");
  } else {
    const takes = schema.functionNamed(node.fn)?.takes;
    if (takes === "field" && !node.of) say("Choose a field for the figure.");
    const ofField = node.of ? schema.field(node.of, inner)?.field : null;
    const operator = schema.operator(schema.resultType(node.fn, ofField), figureField(node, ofField, schema), node.operator);
    if (operator && operator.operand !== "none" && isBlank(node.value)) say("Choose a value.");
    if (takes === "group" && !node.ofGroup) say("Say of which records it is a share.");
  }
  for (const child of children(node)) found.push(...unfinished(child, inner, schema));
  return found;
}

/* The field that an aggregate's value control should behave like: first and last keep the choices of their field. */
export function figureField(node, ofField, schema) {
  const type = schema.resultType(node.fn, ofField);
  if (ofField && ["first", "last"].includes(node.fn)) return { ...ofField, type, operators: undefined };
  const unit = node.fn === "days_since_last" ? "days" : ofField && type === ofField.type ? ofField.unit : "";
  return { key: ofField?.key ?? "", type, unit: unit ?? "", choices: [], item: "" };
}

export function families(node, context, schema, found = new Set()) {
  if (node.kind === "condition") {
    const known = node.field && schema.field(node.field, context);
    if (known) found.add(known.field.family);
    return found;
  }
  let inner = context;
  if (node.kind === "related" || node.kind === "aggregate") {
    const known = node.field && schema.relation(node.field, context);
    if (!known) return found;
    if (known.relation.family) found.add(known.relation.family);
    inner = { record: known.relation.record, relation: known.relation };
  }
  children(node).forEach((child) => families(child, inner, schema, found));
  return found;
}
