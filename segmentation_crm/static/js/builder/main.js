/* The segment builder: holds the rule, its history, and hands changes to drawing, counting and saving. */
import { call } from "./api.js";
import { formatNumber, logShare, setIcons } from "./dom.js";
import { History } from "./history.js";
import { ListSaver } from "./list_saving.js";
import { Panel } from "./panel.js";
import { Preview } from "./preview.js";
import { Saver } from "./saving.js";
import { Schema } from "./schema.js";
import * as tree from "./tree.js";
import { Undecided } from "./undecided.js";
import { Values } from "./values.js";
import { drawNode } from "./view.js";

class Builder {
  constructor(element, schemaData, stored) {
    this.element = element;
    this.schema = new Schema(schemaData);
    this.values = new Values(element.dataset.valuesUrl);
    this.currency = element.dataset.currency;
    this.segmentId = Number(element.dataset.segmentId) || null;
    this.memberType = stored.member_type || "account";
    this.session = "";
    this.root = stored.rules?.rules ? tree.fromRule(stored.rules) : tree.newGroup();
    this.lines = new Map();
    this.history = new History(this.snapshot());
    this.saved = this.history.now;
    this.panel = new Panel(document.querySelector("[data-result]"), this);
    this.preview = new Preview(element.dataset.previewUrl, {
      waiting: (missing) => this.onWaiting(missing),
      counting: () => this.panel.counting(),
      done: (result, paths) => this.onCounted(result, paths),
      failed: (error, paths) => this.onFailed(error, paths),
    });
    this.undecided = new Undecided(this.panel.undecided, this, element.dataset.previewUrl, element.dataset.undecidedUrl);
    const isForList = "forList" in document.querySelector("[data-save-form]").dataset;
    this.saver = isForList ? new ListSaver(this) : new Saver(this);
    this.listen();
    this.draw();
    this.count(0);
  }

  /* --- words --- */
  plural(record) {
    return this.schema.records.get(record)?.plural ?? `${record}s`;
  }

  singular(record) {
    return this.schema.records.get(record)?.singular ?? record;
  }

  noun(count) {
    return count === 1 ? this.singular(this.memberType) : this.plural(this.memberType);
  }

  recordPath() {
    return this.element.dataset[`${this.memberType}Url`];
  }

  context() {
    return { record: this.memberType, relation: null };
  }

  relationDepth(group) {
    let depth = 0;
    for (let found = tree.find(this.root, group.id); found?.parent; found = tree.find(this.root, found.parent.id)) {
      if (found.parent.kind === "related" || found.parent.kind === "aggregate") depth += 1;
    }
    return depth;
  }

  /* --- state --- */
  snapshot() {
    return JSON.stringify({ memberType: this.memberType, root: this.root });
  }

  restore(snapshot) {
    if (!snapshot) return;
    const state = JSON.parse(snapshot);
    this.memberType = state.memberType;
    this.root = state.root;
    this.draw();
    this.count();
  }

  /* A change of structure: draws anew. focus: the data-focus to go to; open: click it as well. */
  change(mutate, { focus = null, open = false } = {}) {
    mutate();
    this.history.record(this.snapshot());
    this.draw(focus);
    if (open) this.element.querySelector(`[data-focus="${focus}"]`)?.click();
    this.count();
  }

  /* A change of a value: the control already shows it. Typing in one box is one step back. */
  edit(node, part, typing = false) {
    Object.assign(node, part);
    this.history.record(this.snapshot(), typing ? `${node.id}:${Object.keys(part).join()}` : "");
    this.showHistory();
    this.count();
  }

  add(group, node, part) {
    this.change(() => group.rules.push(node), { focus: `${node.id}:${part}`, open: true });
  }

  addGroup(group) {
    const inner = tree.newGroup(group.combinator === "and" ? "or" : "and", [tree.newCondition()]);
    this.change(() => group.rules.push(inner), { focus: `${inner.rules[0].id}:field`, open: true });
  }

  remove(node) {
    const { parent } = tree.find(this.root, node.id);
    const index = parent.rules.indexOf(node);
    const neighbour = parent.rules[index + 1] ?? parent.rules[index - 1];
    this.change(() => parent.rules.splice(index, 1), { focus: neighbour ? `${neighbour.id}:remove` : `${parent.id}:add-condition` });
  }

  duplicate(node) {
    const { parent } = tree.find(this.root, node.id);
    const copy = tree.copyWithNewIds(node);
    this.change(() => parent.rules.splice(parent.rules.indexOf(node) + 1, 0, copy), { focus: `${copy.id}:copy` });
  }

  move(node, step) {
    const { parent } = tree.find(this.root, node.id);
    const index = parent?.rules?.indexOf(node) ?? -1;
    const target = index + step;
    if (index < 0 || target < 0 || target >= parent.rules.length) return;
    const keep = document.activeElement?.dataset?.focus;
    this.change(() => {
      parent.rules.splice(index, 1);
      parent.rules.splice(target, 0, node);
    }, { focus: keep });
  }

  setMemberType(type) {
    if (type === this.memberType) return;
    const before = { record: this.memberType, relation: null };
    const lost = [];
    this.change(() => {
      this.memberType = type;
      this.convert(this.root, before, this.context(), lost);
    });
    const words = lost.length === 1 ? "One condition does" : `${lost.length} conditions do`;
    this.saver.note(lost.length ? `${words} not apply to ${this.plural(type)} and ${lost.length === 1 ? "was" : "were"} left out. Undo brings everything back.` : "");
  }

  convert(group, before, after, lost) {
    group.rules = group.rules.filter((node) => {
      if (node.kind === "group") {
        this.convert(node, before, after, lost);
        return node.rules.length > 0;
      }
      if (node.kind === "segment") {
        const record = this.schema.segmentKeys(before).find((item) => item.key === node.field)?.record;
        const target = this.schema.segmentKeys(after).find((item) => item.record === record);
        if (target) node.field = target.key;
        else lost.push(node);
        return Boolean(target);
      }
      const fits = !node.field || (node.kind === "condition" ? this.schema.field(node.field, after) : this.schema.relation(node.field, after));
      if (!fits) lost.push(node);
      return Boolean(fits);
    });
  }

  /* --- drawing --- */
  draw(focus = null) {
    const target = focus ?? document.activeElement?.dataset?.focus ?? null;
    this.lines = new Map();
    this.element.replaceChildren(drawNode(this, this.root, null, this.context()));
    if (target) this.element.querySelector(`[data-focus="${CSS.escape(target)}"]`)?.focus({ preventScroll: false });
    this.showHistory();
    this.panel.showMethods(tree.families(this.root, this.context(), this.schema));
    for (const radio of document.querySelectorAll("[name=member_type]")) radio.checked = radio.value === this.memberType;
    if (this.result) this.showCounts(this.result);
  }

  showHistory() {
    document.querySelector("[data-undo]").disabled = !this.history.past.length;
    document.querySelector("[data-redo]").disabled = !this.history.future.length;
  }

  get isChanged() {
    return this.history.now !== this.saved;
  }

  /* --- counting --- */
  build() {
    const missing = tree.unfinished(this.root, this.context(), this.schema);
    if (missing.length) return { missing };
    const paths = new Map();
    const rules = tree.toRule(this.root, [], paths);
    return { body: { member_type: this.memberType, rules, ...(this.session ? { session: this.session } : {}) }, paths };
  }

  /* Count over the data as they are now. */
  recount() {
    this.session = "";
    this.count(0);
  }

  count(delay) {
    this.preview.schedule(() => this.build(), delay);
  }

  onWaiting(missing) {
    this.clearErrors();
    this.element.classList.add("stale");
    for (const { id, message } of missing) {
      if (id !== this.root.id) this.showError(id, message, "quiet");
    }
    this.panel.waiting(missing);
    this.undecided.clear();
  }

  onCounted(result, paths) {
    this.clearErrors();
    this.element.classList.remove("stale");
    this.result = { total: result.total, byId: new Map() };
    for (const node of result.nodes) {
      const id = paths.get(JSON.stringify(node.path));
      if (id) this.result.byId.set(id, node);
    }
    this.session = result.session;
    this.showCounts(this.result);
    this.panel.done(result);
    this.undecided.ask(this.build().body);
  }

  showCounts({ total, byId }) {
    for (const [id, line] of this.lines) {
      const node = byId.get(id);
      if (line.unitHead) line.unitHead.textContent = node ? `${formatNumber(node.count)} ${node.unit}` : "";
      if (!line.count) continue;
      line.count.number.textContent = node ? formatNumber(node.count) : "";
      line.count.unit.textContent = node ? ` ${node.unit}` : "";
      line.count.cell.title = node ? `${formatNumber(node.count)} ${node.unit}` : "";
      line.count.bar.style.width = node ? `${logShare(node.count, total)}%` : "0";
      line.count.cell.classList.toggle("known", Boolean(node));
    }
  }

  onFailed(error, paths) {
    this.clearErrors();
    this.element.classList.add("stale");
    for (const item of error.errors ?? []) this.showErrorAt(item.path ?? [], item.message, paths);
    this.panel.failed(error);
    this.undecided.clear();
  }

  /* An error speaks of the innermost line that holds its path. API answers may name the body's key first. */
  showErrorAt(path, message, paths) {
    const inRule = path[0] === "rules" && typeof path[1] !== "number" ? path.slice(1) : path;
    for (let length = inRule.length; length >= 0; length -= 1) {
      const id = paths.get(JSON.stringify(inRule.slice(0, length)));
      if (id && this.lines.get(id)?.error) {
        this.showError(id, message, "bad");
        return;
      }
    }
  }

  showError(id, message, tone) {
    const line = this.lines.get(id);
    if (!line?.error) return;
    line.error.textContent = line.error.textContent && !line.error.hidden ? `${line.error.textContent} ${message}` : message;
    line.error.className = `sb-error ${tone}`;
    line.error.hidden = false;
    const row = line.error.parentElement;
    const control = row.querySelector("input, select.sb-value") ?? row.querySelector(".sb-field, select");
    if (tone === "bad") control?.setAttribute("aria-invalid", "true");
    control?.setAttribute("aria-describedby", line.error.id);
  }

  clearErrors() {
    for (const line of this.lines.values()) {
      if (!line.error || line.error.hidden) continue;
      line.error.hidden = true;
      line.error.textContent = "";
    }
    for (const control of this.element.querySelectorAll("[aria-invalid], [aria-describedby]")) {
      control.removeAttribute("aria-invalid");
      control.removeAttribute("aria-describedby");
    }
  }

  /* --- keys and buttons --- */
  listen() {
    document.querySelector("[data-undo]").addEventListener("click", () => this.restore(this.history.undo()));
    document.querySelector("[data-redo]").addEventListener("click", () => this.restore(this.history.redo()));
    document.addEventListener("keydown", (event) => this.onKey(event));
    for (const radio of document.querySelectorAll("[name=member_type]")) radio.addEventListener("change", () => this.setMemberType(radio.value));
    window.addEventListener("beforeunload", (event) => {
      if (this.isChanged && !this.saver.leaving) event.preventDefault();
    });
  }

  onKey(event) {
    const command = event.ctrlKey || event.metaKey;
    const inOtherField = document.activeElement?.matches("input, textarea") && !this.element.contains(document.activeElement);
    if (command && event.key.toLowerCase() === "z" && !inOtherField) {
      event.preventDefault();
      this.restore(event.shiftKey ? this.history.redo() : this.history.undo());
    } else if (command && event.key.toLowerCase() === "y" && !inOtherField) {
      event.preventDefault();
      this.restore(this.history.redo());
    } else if (command && event.key.toLowerCase() === "s") {
      event.preventDefault();
      this.saver.save("active");
    } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      const row = document.activeElement?.closest("[data-node]");
      const found = row && this.element.contains(row) ? tree.find(this.root, row.dataset.node) : null;
      if (found?.parent?.rules) {
        event.preventDefault();
        this.move(found.node, event.key === "ArrowUp" ? -1 : 1);
      }
    }
  }
}

async function start() {
  const element = document.querySelector("[data-builder]");
  if (!element) return;
  setIcons(element.dataset.iconsUrl);
  const stored = JSON.parse(document.getElementById("stored-rule").textContent);
  try {
    const schema = await call("GET", element.dataset.fieldsUrl);
    window.segmentBuilder = new Builder(element, schema, stored);
    element.dataset.ready = "true";
  } catch (error) {
    element.textContent = `The builder could not be loaded: ${error.message} Reload the page to try again.`;
    element.dataset.ready = "failed";
  }
}

start();
