/* Small means to make elements without templates: no innerHTML anywhere, so nothing typed can become markup. */

let iconsUrl = "";

export function setIcons(url) {
  iconsUrl = url;
}

/* h("button", {class: "x", "data-a": "1", onclick: fn, disabled: true}, "text", child, [children]) */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (name === "style") element.style.cssText = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("class", "ico");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `${iconsUrl}#${name}`);
  svg.append(use);
  return svg;
}

export function dot(family, label = "") {
  return h("span", { class: "dot", "data-family": family, title: label || undefined, "aria-hidden": "true" });
}

/* options: [{value, label}] or [{label, options: []}] */
export function select(options, value, attributes = {}) {
  const element = h("select", attributes);
  const add = (parent, item) => {
    const option = h("option", { value: item.value }, item.label);
    if (String(item.value) === String(value)) option.selected = true;
    parent.append(option);
  };
  for (const item of options) {
    if (!item.options) {
      add(element, item);
      continue;
    }
    const group = h("optgroup", { label: item.label });
    item.options.forEach((inner) => add(group, inner));
    element.append(group);
  }
  return element;
}

const numberFormat = new Intl.NumberFormat("en-US");

export function formatNumber(number) {
  return numberFormat.format(number);
}

export function percentOf(part, whole) {
  if (!whole) return "";
  const share = (part / whole) * 100;
  if (part && share < 0.01) return "less than 0.01 %";
  const digits = share >= 10 || share === 0 ? 0 : share >= 1 ? 1 : 2;
  return `${share.toFixed(digits)} %`;
}

/* Counts span from one to millions: a log scale keeps small ones visible; 0 is empty, the total is full. */
export function logShare(count, total) {
  if (!count || !total) return 0;
  return Math.max(2, Math.min(100, (Math.log1p(count) / Math.log1p(total)) * 100));
}

export function initials(name) {
  const words = String(name).split(/[\s.@_-]+/u).filter(Boolean);
  return words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("") || "?";
}

let counter = 0;

export function freshId(prefix = "n") {
  counter += 1;
  return `${prefix}${counter}`;
}
