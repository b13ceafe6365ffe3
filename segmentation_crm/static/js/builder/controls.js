/* The right control for every operand: one function each, all giving plain rule values to onChange. */
import { ChoiceBox } from "./choice.js";
import { formatNumber, h, select } from "./dom.js";

const LONG_LIST = 14;

/* spec: {type, item, choices, target, unit, key} of the field; operator: {operand, operator}. */
export function valueControl(spec, operator, value, onChange, env) {
  const make = {
    none: () => null,
    one: () => oneControl(spec, value, onChange, env),
    list: () => listControl(spec, value, onChange, env),
    range: () => rangeControl(spec, value, onChange, env),
    share: () => numberBox({ ...spec, unit: "%" }, value, onChange, env, "Percent"),
    duration: () => durationControl(value, onChange, env),
    period: () => periodControl(value, onChange, env),
    number_test: () => numberTest(value, onChange, env),
    held: () => heldControl(spec, value, onChange, env),
  }[operator.operand];
  return make ? make() : null;
}

/* A first value that makes sense, so that a line can be counted as soon as possible. */
export function firstValue(spec, operator, previous, previousOperator) {
  const from = previousOperator?.operand;
  const to = operator.operand;
  if (from === to && previous !== undefined) return previous;
  if (from === "one" && to === "list" && previous !== undefined && previous !== "") return [previous];
  if (from === "list" && to === "one" && Array.isArray(previous)) return previous[0];
  if (from === "one" && to === "range" && previous !== undefined) return [previous, undefined];
  if (from === "range" && to === "one" && Array.isArray(previous)) return previous[0];
  return { list: [], range: [undefined, undefined], duration: { n: 90, unit: "day" }, period: "this_quarter", number_test: { operator: "gte", value: 1 }, held: { value: undefined, for: { n: 30, unit: "day" } }, share: 10 }[to];
}

function isSearched(spec) {
  return Boolean(spec.search);
}

function isText(spec) {
  return (spec.type === "multi" ? spec.item : spec.type) === "text";
}

function sourceOf(spec, env) {
  if (spec.choices?.length) {
    return async (text) => {
      const wanted = text.toLowerCase();
      return spec.choices.filter((choice) => choice.label.toLowerCase().includes(wanted) || choice.value.toLowerCase() === wanted);
    };
  }
  if (isSearched(spec)) return (text) => env.values.search(spec.key, text);
  return async () => [];
}

function labelOf(spec, env) {
  if (spec.choices?.length) {
    const labels = new Map(spec.choices.map((choice) => [choice.value, choice.label]));
    return (value) => labels.get(value) ?? String(value);
  }
  return isSearched(spec) ? (value) => env.values.label(spec.key, value) : (value) => String(value);
}

function choiceBox(spec, values, multiple, onChange, env, focusPart = "value") {
  const free = isText(spec);
  const box = new ChoiceBox({
    values, multiple, free,
    source: sourceOf(spec, env),
    label: labelOf(spec, env),
    placeholder: free ? "type a value" : "choose a value",
    name: `${env.name}: value`,
    focusKey: env.focus(focusPart),
    onChange,
  });
  return box.element;
}

function oneControl(spec, value, onChange, env, focusPart = "value") {
  if (["integer", "decimal", "percent", "money"].includes(spec.type)) return numberBox(spec, value, onChange, env, "Value", focusPart);
  if (["date", "datetime"].includes(spec.type)) return dateControl(value, onChange, env, focusPart);
  if (spec.choices?.length && spec.choices.length <= LONG_LIST) {
    const options = [{ value: "", label: "choose a value" }, ...spec.choices];
    return select(options, value ?? "", {
      class: `sb-select sb-value${value ? " filled" : ""}`, "aria-label": `${env.name}: value`, "data-focus": env.focus(focusPart),
      onchange: (event) => onChange(event.target.value || undefined),
    });
  }
  if (isText(spec)) return textBox(value, onChange, env, focusPart);
  const values = value === undefined || value === "" ? [] : [value];
  return choiceBox(spec, values, false, (found) => onChange(found[0]), env, focusPart);
}

function listControl(spec, value, onChange, env, focusPart = "value") {
  if (["integer", "decimal", "percent", "money"].includes(spec.type)) {
    const read = (values) => onChange(values.map((item) => parseNumber(String(item))));
    return choiceBox({ ...spec, type: "text" }, value ?? [], true, read, env, focusPart);
  }
  return choiceBox(spec, Array.isArray(value) ? value : [], true, onChange, env, focusPart);
}

function textBox(value, onChange, env, focusPart) {
  const input = h("input", {
    class: "sb-input sb-text", type: "text", value: value ?? "", maxlength: 1000, placeholder: "type a value", "aria-label": `${env.name}: value`, "data-focus": env.focus(focusPart),
    oninput: (event) => onChange(event.target.value || undefined, true),
  });
  return h("span", { class: "sb-value" }, input);
}

/* Digits with spaces or commas between are a number; anything else goes to the server as typed, which says what is wrong. */
export function parseNumber(text) {
  const plain = text.replace(/[\s,_]/g, "");
  if (plain === "") return undefined;
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : text;
}

function shownNumber(value) {
  if (typeof value !== "number") return value ?? "";
  const [whole, rest] = String(value).split(".");
  return rest === undefined ? formatNumber(Number(whole)) : String(value);
}

function numberInput(spec, value, onChange, env, name, focusPart) {
  const isYear = /year/.test(spec.key ?? "");
  const show = (number) => (isYear ? number ?? "" : shownNumber(number));
  let current = value;
  const input = h("input", {
    class: "sb-input sb-number", type: "text", inputmode: "decimal", value: show(value), "aria-label": `${env.name}: ${name.toLowerCase()}`, "data-focus": env.focus(focusPart),
    oninput: (event) => {
      current = parseNumber(event.target.value);
      size();
      onChange(current, true);
    },
    onblur: (event) => {
      event.target.value = show(current);
      size();
    },
  });
  const size = () => input.style.setProperty("--chars", Math.max(3, input.value.length));
  size();
  return input;
}

function unitOf(spec, env) {
  if (spec.unit) return spec.unit;
  if (spec.type === "money") return env.currency;
  return spec.type === "percent" ? "%" : "";
}

function numberBox(spec, value, onChange, env, name, focusPart = "value") {
  const unit = unitOf(spec, env);
  return h("span", { class: "sb-value" }, numberInput(spec, value, onChange, env, name, focusPart), unit ? h("span", { class: "sb-unit" }, unit) : null);
}

function rangeControl(spec, value, onChange, env) {
  const pair = Array.isArray(value) ? [...value] : [undefined, undefined];
  const set = (index) => (item, typing) => {
    pair[index] = item;
    onChange([...pair], typing);
  };
  if (["date", "datetime"].includes(spec.type)) {
    return h("span", { class: "sb-range" }, dateControl(pair[0], set(0), env, "value"), h("span", { class: "sb-word" }, "and"), dateControl(pair[1], set(1), env, "value2"));
  }
  const unit = unitOf(spec, env);
  return h(
    "span", { class: "sb-value" },
    numberInput(spec, pair[0], set(0), env, "From", "value"),
    h("span", { class: "sb-unit" }, "and"),
    numberInput(spec, pair[1], set(1), env, "To", "value2"),
    unit ? h("span", { class: "sb-unit" }, unit) : null,
  );
}

/* A small whole number: counts, lengths of time. */
export function countInput(value, onChange, env, name, focusPart) {
  const input = h("input", {
    class: "sb-input sb-number", type: "text", inputmode: "numeric", value: value ?? "", "aria-label": `${env.name}: ${name}`, "data-focus": env.focus(focusPart),
    oninput: (event) => {
      input.style.setProperty("--chars", Math.max(2, event.target.value.length));
      onChange(parseNumber(event.target.value), true);
    },
  });
  input.style.setProperty("--chars", Math.max(2, String(value ?? "").length));
  return input;
}

export function durationControl(value, onChange, env, focusPart = "value") {
  const now = { n: value?.n, unit: value?.unit ?? "day" };
  const change = (part, typing) => {
    Object.assign(now, part);
    onChange({ ...now }, typing);
  };
  const units = env.schema.data.units.map((unit) => ({ value: unit.value, label: unit.label }));
  return h(
    "span", { class: "sb-value" },
    countInput(now.n, (n, typing) => change({ n }, typing), env, "how many", focusPart),
    select(units, now.unit, { class: "sb-bare-select", "aria-label": `${env.name}: unit of time`, "data-focus": env.focus(`${focusPart}-unit`), onchange: (event) => change({ unit: event.target.value }) }),
  );
}

function periodControl(value, onChange, env) {
  return select(env.schema.data.periods, value ?? "this_quarter", {
    class: "sb-select sb-value filled", "aria-label": `${env.name}: period`, "data-focus": env.focus("value"), onchange: (event) => onChange(event.target.value),
  });
}

const DATE_WAYS = [{ value: "date", label: "the date" }, { value: "today", label: "today" }, { value: "ago", label: "ago" }, { value: "ahead", label: "ahead" }];

function dateWay(value) {
  if (value === "today") return "today";
  if (value && typeof value === "object") return "ago" in value ? "ago" : "ahead";
  return "date";
}

function dateControl(value, onChange, env, focusPart = "value") {
  const way = dateWay(value);
  const pick = (next) => {
    const first = { date: undefined, today: "today", ago: { ago: { n: 30, unit: "day" } }, ahead: { ahead: { n: 30, unit: "day" } } }[next];
    onChange(first);
    env.redraw();
  };
  const waySelect = select(DATE_WAYS, way, { class: "sb-bare-select", "aria-label": `${env.name}: kind of date`, "data-focus": env.focus(`${focusPart}-way`), onchange: (event) => pick(event.target.value) });
  if (way === "date") {
    const day = typeof value === "string" ? value.slice(0, 10) : "";
    const input = h("input", { class: "sb-input sb-date", type: "date", value: day, min: "0001-01-01", max: "9999-12-31", "aria-label": `${env.name}: date`, "data-focus": env.focus(focusPart), onchange: (event) => onChange(event.target.value || undefined) });
    return h("span", { class: "sb-value" }, waySelect, input);
  }
  if (way === "today") return h("span", { class: "sb-value" }, waySelect);
  const inner = durationControl(value[way], (duration, typing) => onChange({ [way]: duration }, typing), env, focusPart);
  return h("span", { class: "sb-range" }, inner, h("span", { class: "sb-value" }, waySelect));
}

function numberTest(value, onChange, env) {
  const now = { operator: value?.operator ?? "gte", value: value?.value ?? 1 };
  const isPair = (operator) => operator.includes("between");
  const change = (part, typing) => {
    Object.assign(now, part);
    onChange({ ...now }, typing);
  };
  const pick = (operator) => {
    const first = Array.isArray(now.value) ? now.value[0] : now.value;
    change({ operator, value: isPair(operator) ? [first, undefined] : first });
    env.redraw();
  };
  const operators = env.schema.data.count_tests.map((item) => ({ value: item.name, label: item.label }));
  const chooser = select(operators, now.operator, { class: "sb-bare-select", "aria-label": `${env.name}: comparison`, "data-focus": env.focus("test"), onchange: (event) => pick(event.target.value) });
  if (!isPair(now.operator)) return h("span", { class: "sb-value" }, chooser, countInput(now.value, (n, typing) => change({ value: n }, typing), env, "how many", "value"));
  const pair = [...now.value];
  const set = (index) => (n, typing) => {
    pair[index] = n;
    change({ value: [...pair] }, typing);
  };
  return h("span", { class: "sb-value" }, chooser, countInput(pair[0], set(0), env, "from", "value"), h("span", { class: "sb-unit" }, "and"), countInput(pair[1], set(1), env, "to", "value2"));
}

function heldControl(spec, value, onChange, env) {
  const now = { value: value?.value, for: value?.for ?? { n: 30, unit: "day" } };
  const change = (part, typing) => {
    Object.assign(now, part);
    onChange({ ...now }, typing);
  };
  return h(
    "span", { class: "sb-range" },
    oneControl(spec, now.value, (item, typing) => change({ value: item }, typing), env),
    h("span", { class: "sb-word" }, "for at least"),
    durationControl(now.for, (duration, typing) => change({ for: duration }, typing), env, "for"),
  );
}
