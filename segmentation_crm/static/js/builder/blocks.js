/* Blocks about related records: how many of them satisfy a group, or a figure over them. */
import { countInput, firstValue, valueControl } from "./controls.js";
import { dot, h, icon, select } from "./dom.js";
import { FieldPicker } from "./picker.js";
import * as tree from "./tree.js";
import { actions, countCell, envOf, errorCell, fieldOptions, operatorSelect, rulesOf, wayHint, waySelect } from "./view.js";

const COUNTED = ["at_least", "at_most", "exactly"];

function relationChoices(app, context) {
  return app.schema.relationOptions(context).map(({ key, relation, via, own }) => ({
    key, label: relation.label, sub: own ? "" : `of the ${via.toLowerCase()}`, family: relation.family ?? "", help: "",
    group: own ? `Of the ${app.singular(context.record)}` : `Of the ${via.toLowerCase()}`, everyday: true,
  }));
}

function relationPicker(app, node, context, env) {
  const known = node.field ? app.schema.relation(node.field, context) : null;
  const isOne = node.kind === "related" && COUNTED.includes(node.mode) && Number(node.threshold) === 1;
  const shown = known ? { label: isOne ? known.relation.singular : known.relation.label.toLowerCase(), sub: known.own || node.kind === "related" ? "" : `of the ${known.via.toLowerCase()}`, family: "", familyLabel: "" } : null;
  const picker = new FieldPicker({
    options: relationChoices(app, context), value: node.field, name: "Which records", searchWords: "Search related records", chevron: true, focusKey: env.focus("field"), shown,
    onPick: (key) => app.change(() => chooseRelation(app, node, key, context), { focus: `${node.id}:mode` }),
  });
  picker.element.classList.add("relation");
  return { element: picker.element, known };
}

function chooseRelation(app, node, key, context) {
  const before = node.field ? app.schema.relation(node.field, context)?.relation.record : "";
  node.field = key;
  const after = app.schema.relation(key, context).relation.record;
  if (before === after) return;
  if (node.kind === "related") {
    node.group = tree.newGroup("and", [tree.newCondition()]);
  } else {
    Object.assign(node, { of: "", ofGroup: null, where: null, fn: "count", operator: "gte", value: node.fn === "count" ? node.value : undefined });
  }
}

function innerContext(known) {
  return { record: known.relation.record, relation: known.relation };
}

/* A group inside a block: its own head, the unit of its counts, its rules. */
function innerGroup(app, group, known, words, onRemove, removeLabel) {
  app.lines.set(group.id, { node: group });
  const unit = h("span", { class: "sb-col-head" });
  app.lines.get(group.id).unitHead = unit;
  return h(
    "div", { class: "sb-inner", "data-node": group.id, role: "group", "aria-label": `${words} ${wayHint(group)}` },
    h(
      "div", { class: "sb-ghead" },
      h("span", { class: "sb-word" }, words),
      waySelect(app, group, `${words}: how these conditions combine`),
      h("button", { type: "button", class: "sb-action", "aria-label": removeLabel, title: removeLabel, onclick: onRemove, "data-focus": `${group.id}:drop` }, icon("x")),
      unit,
    ),
    rulesOf(app, group, innerContext(known)),
    errorCell(app, group),
  );
}

function block(app, node, parent, name, head, inner) {
  return h(
    "div", { class: "sb-block", "data-node": node.id, role: "group", "aria-label": name },
    h("div", { class: "sb-row" }, h("div", { class: "sb-line" }, head), actions(app, node, name, parent), countCell(app, node), errorCell(app, node)),
    inner,
  );
}

function addWhere(app, node, part, label) {
  const add = () => {
    const group = tree.newGroup("and", [tree.newCondition()]);
    app.change(() => { node[part] = group; }, { focus: `${group.rules[0].id}:field`, open: true });
  };
  return h("div", { class: "sb-adds inner" }, h("button", { type: "button", class: "sb-add", onclick: add, "data-focus": `${node.id}:${part}` }, icon("plus"), label));
}

/* --- "Account has at least 2 contacts where all of …" --- */
export function relatedBlock(app, node, parent, context) {
  const env = envOf(app, node, "Related records");
  const { element, known } = relationPicker(app, node, context, env);
  const family = known?.relation.family ?? "";
  const head = [dot(family, app.schema.families.get(family)), h("span", { class: "sb-word strong" }, `${capital(app.singular(ownerOf(app, node, context)))}`)];
  if (!known) return block(app, node, parent, "Related records", [...head, h("span", { class: "sb-word" }, "has"), element], null);
  const modes = app.schema.data.modes.map((mode) => ({ value: mode.name, label: mode.label }));
  head.push(select(modes, node.mode, {
    class: "sb-op", "aria-label": "How many of them", "data-focus": env.focus("mode"),
    onchange: (event) => app.change(() => { node.mode = event.target.value; }),
  }));
  if (COUNTED.includes(node.mode)) {
    head.push(h("span", { class: "sb-value" }, countInput(node.threshold, (threshold, typing) => app.edit(node, { threshold }, typing), env, "how many", "threshold")));
  }
  head.push(element);
  const inner = node.group
    ? innerGroup(app, node.group, known, "where", () => app.change(() => { node.group = null; }, { focus: `${node.id}:group` }), "Drop these conditions: any related record counts")
    : addWhere(app, node, "group", `Only ${known.relation.label.toLowerCase()} where …`);
  return block(app, node, parent, `Related ${known.relation.label.toLowerCase()}`, head, inner);
}

function ownerOf(app, node, context) {
  const known = node.field ? app.schema.relation(node.field, context) : null;
  return known ? known.relation.owner : context.record;
}

function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : text;
}

/* --- "sum of amount of opportunities is at least 100,000 where all of …" --- */
export function aggregateBlock(app, node, parent, context) {
  const env = envOf(app, node, "Figure over related records");
  const { element, known } = relationPicker(app, node, context, env);
  const family = known?.relation.family ?? "";
  const lead = dot(family, app.schema.families.get(family));
  if (!known) return block(app, node, parent, "Figure", [lead, h("span", { class: "sb-word strong" }, "Figure over"), element], null);
  const inner = innerContext(known);
  const fn = app.schema.functionNamed(node.fn);
  const ofField = node.of ? app.schema.field(node.of, inner)?.field ?? null : null;
  const head = [lead, functionSelect(app, node, env)];
  if (fn?.takes === "field") head.push(ofPicker(app, node, inner, fn, env));
  head.push(h("span", { class: "sb-word" }, "of"), element);
  if (fn?.takes !== "field" || ofField) head.push(...figureTest(app, node, ofField, env));
  const name = `${fn?.label ?? "Figure"} of ${known.relation.label.toLowerCase()}`;
  return block(app, node, parent, name, head, h("div", {}, groupsOf(app, node, known, fn)));
}

function groupsOf(app, node, known, fn) {
  const drop = (part) => () => app.change(() => { node[part] = null; }, { focus: `${node.id}:${part}` });
  const parts = [];
  const plural = known.relation.label.toLowerCase();
  parts.push(node.where
    ? innerGroup(app, node.where, known, fn?.takes === "group" ? "counting those where" : "where", drop("where"), "Drop these conditions: all of them count")
    : addWhere(app, node, "where", `Only ${plural} where …`));
  if (fn?.takes === "group") {
    parts.push(node.ofGroup
      ? innerGroup(app, node.ofGroup, known, "out of those where", drop("ofGroup"), "Drop these conditions")
      : addWhere(app, node, "ofGroup", `Out of ${plural} where …`));
  }
  return parts;
}

function functionSelect(app, node, env) {
  const options = app.schema.data.functions.map((item) => ({ value: item.name, label: item.label }));
  return select(options, node.fn, {
    class: "sb-op", "aria-label": "Figure", "data-focus": env.focus("mode"),
    onchange: (event) => app.change(() => {
      const fn = app.schema.functionNamed(event.target.value);
      Object.assign(node, { fn: fn.name, of: fn.takes === "field" ? node.of : "", ofGroup: fn.takes === "group" ? node.ofGroup : null, operator: "", value: undefined });
    }),
  });
}

function ofPicker(app, node, inner, fn, env) {
  const known = node.of ? app.schema.field(node.of, inner) : null;
  const types = fn.of ?? [];
  const picker = new FieldPicker({
    options: fieldOptions(app, inner, (field) => field.type !== "multi" && (!types.length || types.includes(field.type))), value: node.of, name: "Which field", focusKey: env.focus("of"),
    shown: known ? { label: known.field.label, sub: "", family: known.field.family, familyLabel: "" } : null,
    onPick: (key) => app.change(() => Object.assign(node, { of: key, operator: "", value: undefined }), { focus: `${node.id}:operator` }),
  });
  return picker.element;
}

function figureTest(app, node, ofField, env) {
  const spec = tree.figureField(node, ofField, app.schema);
  const operators = app.schema.operatorsOf(spec.type, spec, { relation: true });
  if (!operators.some((item) => item.name === node.operator)) {
    const first = operators.find((item) => item.name === "gte") ?? operators[0];
    node.operator = first.name;
    node.value = node.value ?? firstValue(spec, first);
  }
  const operator = operators.find((item) => item.name === node.operator);
  const chooser = operatorSelect(app, node, operators, operator, env);
  const control = valueControl(node.fn === "ratio" ? { ...spec, unit: "(0 to 1)" } : spec, operator, node.value, (value, typing) => app.edit(node, { value }, typing), env);
  return [chooser, control].filter(Boolean);
}
