/* Draws the rule as lines and blocks. State lives in the nodes; every change goes through app.change or app.edit. */
import { countInput, firstValue, valueControl } from "./controls.js";
import { dot, h, icon, select } from "./dom.js";
import { aggregateBlock, relatedBlock } from "./blocks.js";
import { ChoiceBox } from "./choice.js";
import { FieldPicker } from "./picker.js";
import * as tree from "./tree.js";

const GROUP_WAYS = [
  { value: "and", label: "All of", hint: "every condition must hold" },
  { value: "or", label: "Any of", hint: "at least one must hold" },
  { value: "not or", label: "None of", hint: "none of these may hold" },
  { value: "not and", label: "Not all of", hint: "at least one must fail" },
];

export function envOf(app, node, name) {
  return {
    schema: app.schema, values: app.values, currency: app.currency, name,
    focus: (part) => `${node.id}:${part}`,
    redraw: () => app.draw(),
  };
}

export function countCell(app, node) {
  const number = h("b", {});
  const unit = h("span", { class: "visually-hidden" });
  const bar = h("i", {});
  const cell = h("span", { class: "sb-count", "data-count": node.id }, h("span", { class: "sb-number-line" }, number, unit), h("span", { class: "sb-bar", "aria-hidden": "true" }, bar));
  app.lines.get(node.id).count = { cell, number, unit, bar };
  return cell;
}

/* Every node gets a place for its error, right under its line. */
export function errorCell(app, node) {
  const cell = h("div", { class: "sb-error", id: `${node.id}-error`, hidden: true });
  app.lines.get(node.id).error = cell;
  return cell;
}

function action(name, label, run, focusKey, disabled = false) {
  return h("button", { type: "button", class: "sb-action", "aria-label": label, title: label, onclick: run, "data-focus": focusKey, disabled }, icon(name));
}

/* Move, copy, remove: shown on hover and focus, always reachable by Tab; Alt with arrows moves as well. */
export function actions(app, node, name, parent) {
  if (!parent) return null;
  const index = parent.rules ? parent.rules.indexOf(node) : -1;
  if (index < 0) return null;
  return h(
    "span", { class: "sb-actions" },
    action("arrow-up", `Move ${name} up`, () => app.move(node, -1), `${node.id}:up`, index === 0),
    action("arrow-down", `Move ${name} down`, () => app.move(node, 1), `${node.id}:down`, index === parent.rules.length - 1),
    action("copy", `Duplicate ${name}`, () => app.duplicate(node), `${node.id}:copy`),
    action("trash", `Remove ${name}`, () => app.remove(node), `${node.id}:remove`),
  );
}

export function drawNode(app, node, parent, context) {
  app.lines.set(node.id, { node });
  const draw = { group: groupBlock, condition: conditionRow, related: relatedBlock, aggregate: aggregateBlock, segment: segmentRow }[node.kind];
  return draw(app, node, parent, context);
}

/* --- groups --- */
function wayOf(group) {
  return `${group.not ? "not " : ""}${group.combinator}`;
}

export function waySelect(app, group, label = "How these conditions combine") {
  const way = wayOf(group);
  return select(GROUP_WAYS, way, {
    class: `sb-way${group.not ? " not" : ""}`, "aria-label": label, "data-focus": `${group.id}:way`,
    onchange: (event) => {
      const value = event.target.value;
      app.change(() => {
        group.not = value.startsWith("not ");
        group.combinator = value.replace("not ", "");
      });
    },
  });
}

export function wayHint(group) {
  return GROUP_WAYS.find((way) => way.value === wayOf(group)).hint;
}

function groupBlock(app, group, parent, context) {
  const head = h(
    "div", { class: "sb-ghead" },
    waySelect(app, group),
    h("span", { class: "sb-hint" }, wayHint(group)),
    parent ? actions(app, group, "this group", parent) : null,
    parent ? countCell(app, group) : h("span", { class: "sb-col-head" }, `matching ${app.plural(app.memberType)} · bars on a log scale`),
  );
  if (!parent) app.lines.get(group.id).count = null;
  return h("div", { class: `sb-group${parent ? "" : " root"}${group.not ? " not" : ""}`, role: "group", "aria-label": `Group: ${wayHint(group)}`, "data-node": group.id }, head, rulesOf(app, group, context), errorCell(app, group));
}

/* The children of a group on its rail, and the buttons that add to it. */
export function rulesOf(app, group, context) {
  const rows = group.rules.map((rule) => drawNode(app, rule, group, context));
  return h("div", { class: `sb-rules${group.not ? " not" : ""}` }, rows, addButtons(app, group, context));
}

function addButtons(app, group, context) {
  const isInner = app.root !== group;
  const hasRelations = app.schema.relationOptions(context).length > 0 && app.relationDepth(group) < 3;
  const add = (make, part) => () => app.add(group, make(), part);
  const button = (label, run, part) => h("button", { type: "button", class: "sb-add", onclick: run, "data-focus": `${group.id}:${part}` }, icon("plus"), label);
  const special = [
    hasRelations ? button("About related records", add(tree.newRelated, "field"), "add-related") : null,
    hasRelations ? button("Figure over related records", add(tree.newAggregate, "field"), "add-aggregate") : null,
    app.schema.segmentKeys(context).length ? button("Segment", add(() => tree.newSegment(app.schema.segmentKeys(context)[0].key), "value"), "add-segment") : null,
  ].filter(Boolean);
  // Inner groups stay quiet: what is rarer there opens on demand.
  const folded = isInner && special.length > 0;
  const more = h("span", { class: "sb-more", hidden: folded }, special);
  const opener = folded ? h("button", { type: "button", class: "sb-add", "aria-expanded": "false", "data-focus": `${group.id}:more`, onclick: (event) => {
    more.hidden = false;
    event.currentTarget.hidden = true;
    more.querySelector("button").focus();
  } }, "More …") : null;
  return h(
    "div", { class: "sb-adds" },
    button("Condition", add(tree.newCondition, "field"), "add-condition"),
    button("Group", () => app.addGroup(group), "add-group"),
    opener, more,
  );
}

/* --- one condition --- */
export function fieldOptions(app, context, wanted = () => true) {
  return app.schema.fieldOptions(context).filter(({ field }) => wanted(field)).map(({ key, field, via, own }) => ({
    key, label: field.label, sub: own ? "" : via, family: field.family, help: field.help ?? "",
    group: own ? field.group : `${capital(via)}: ${field.group}`,
    everyday: Boolean(field.everyday) || (context.relation !== null && own),
  }));
}

function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : text;
}

function shownField(app, known) {
  const target = known.field.target?.startsWith("code:") ? ` · ${known.field.target.slice(5).toUpperCase()}` : "";
  return { label: known.field.label, sub: `${known.via}${target}`, family: known.field.family, familyLabel: app.schema.families.get(known.field.family) ?? "" };
}

function conditionRow(app, node, parent, context) {
  const known = node.field ? app.schema.field(node.field, context) : null;
  const name = known?.field.label ?? "Condition";
  const env = envOf(app, node, name);
  const picker = new FieldPicker({
    options: fieldOptions(app, context), value: node.field, name: "Field", focusKey: env.focus("field"),
    shown: known ? shownField(app, known) : node.field ? { label: node.field, sub: "unknown field", family: "", familyLabel: "" } : null,
    onPick: (key) => app.change(() => chooseField(app, node, key, context), { focus: `${node.id}:operator` }),
  });
  const parts = [picker.element];
  if (known) {
    const operators = app.schema.operatorsOf(known.field.type, known.field, context);
    const operator = operators.find((item) => item.name === node.operator) ?? operators[0];
    parts.push(operatorSelect(app, node, operators, operator, env));
    const control = valueControl({ ...known.field }, operator, node.value, (value, typing) => app.edit(node, { value }, typing), env);
    if (control) parts.push(control);
    if (known.field.help) picker.button.title = known.field.help;
  }
  return line(app, node, parent, name, parts);
}

export function line(app, node, parent, name, parts, extraClass = "") {
  return h(
    "div", { class: `sb-row ${extraClass}`, "data-node": node.id, role: "group", "aria-label": name },
    h("div", { class: "sb-line" }, parts),
    actions(app, node, name, parent),
    countCell(app, node),
    errorCell(app, node),
  );
}

/* Everyday operators first, the others in a second group of the same list. */
export function operatorSelect(app, node, operators, operator, env, onPick) {
  const first = operators.filter((item) => !item.more);
  const rest = operators.filter((item) => item.more);
  const options = (items) => items.map((item) => ({ value: item.name, label: item.label }));
  const shown = first.length && rest.length ? [...options(first), { label: "more", options: options(rest) }] : options(operators);
  const pick = onPick ?? ((next) => {
    node.value = firstValue({}, next, node.value, operator);
    node.operator = next.name;
  });
  return select(shown, operator?.name, {
    class: "sb-op", "aria-label": `${env.name}: operator`, "data-focus": env.focus("operator"),
    onchange: (event) => app.change(() => pick(operators.find((item) => item.name === event.target.value))),
  });
}

function chooseField(app, node, key, context) {
  const before = node.field ? app.schema.field(node.field, context)?.field : null;
  const after = app.schema.field(key, context).field;
  node.field = key;
  const operators = app.schema.operatorsOf(after.type, after, context);
  if (before && before.type === after.type && before.target === after.target && !before.choices?.length && operators.some((item) => item.name === node.operator)) return;
  const operator = operators[0];
  node.operator = operator?.name ?? "";
  node.value = operator ? firstValue(after, operator) : undefined;
}

/* --- membership of other segments --- */
const SEGMENT_TIMES = { within: { n: 30, unit: "day" }, at: { ago: { n: 30, unit: "day" } } };

/* The segments of a line: a list for "is in", one for what asks about the past. */
function segmentsOf(node) {
  if (Array.isArray(node.value)) return node.value;
  return node.value?.segment === undefined ? [] : [node.value.segment];
}

function segmentValue(node, operand, segments) {
  if (operand === "list") return segments;
  return { segment: segments[0], [operand]: node.value?.[operand] ?? SEGMENT_TIMES[operand] };
}

function segmentRow(app, node, parent, context) {
  const keys = app.schema.segmentKeys(context);
  const known = keys.find((item) => item.key === node.field) ?? keys[0];
  const env = envOf(app, node, "Segment");
  const operators = app.schema.data.segment_operators;
  const operandOf = (name) => operators.find((item) => item.name === name)?.operand ?? "list";
  const operand = operandOf(node.operator);
  const subject = keys.length > 1
    ? select(keys.map((item) => ({ value: item.key, label: item.via ? `Its ${item.via.toLowerCase()}` : `The ${app.singular(item.record)}` })), node.field, { class: "sb-op", "aria-label": "Whose segments", "data-focus": env.focus("whose"), onchange: (event) => app.change(() => Object.assign(node, { field: event.target.value, value: segmentValue(node, operand, []) })) })
    : null;
  const box = new ChoiceBox({
    values: segmentsOf(node), multiple: operand === "list",
    source: (text) => app.values.search("segment", text, { member_type: known?.record }), label: (value) => app.values.label("segment", value),
    placeholder: "choose a segment", name: "Segments", focusKey: env.focus("value"),
    onChange: (found) => app.edit(node, { value: segmentValue(node, operand, found) }),
  });
  const pick = (event) => app.change(() => {
    const next = event.target.value;
    Object.assign(node, { value: segmentValue(node, operandOf(next), segmentsOf(node)), operator: next });
  });
  const label = h("span", { class: "sb-field fixed" }, dot("segment"), h("span", { class: "sb-field-label" }, "Segment"), subject ? null : h("small", {}, app.singular(context.record)));
  const operator = select(operators.map((item) => ({ value: item.name, label: item.label })), node.operator, { class: "sb-op", "aria-label": "Segment: operator", "data-focus": env.focus("operator"), onchange: pick });
  return line(app, node, parent, "Segment", [label, subject, operator, box.element, ...segmentTime(app, node, operand, env)]);
}

/* "in the last 30 days", "on a date": what a condition about the past needs besides the segment. */
function segmentTime(app, node, operand, env) {
  if (operand === "list") return [];
  const set = (value, typing) => app.edit(node, { value: { segment: node.value?.segment, [operand]: value } }, typing);
  const timed = { ...env, focus: (part) => env.focus(`time-${part}`) };
  const spec = { type: operand === "within" ? "" : "date" };
  const control = valueControl(spec, { operand: operand === "within" ? "duration" : "one" }, node.value?.[operand], set, timed);
  return [h("span", { class: "sb-word" }, operand === "within" ? "in the last" : "on"), control];
}

export { countInput };
