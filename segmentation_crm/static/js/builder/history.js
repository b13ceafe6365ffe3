/* Undo and redo over snapshots of the whole rule; typing in one box counts as one step. */

const MOST = 200;

export class History {
  constructor(snapshot) {
    this.past = [];
    this.future = [];
    this.now = snapshot;
    this.lastTag = "";
  }

  /* `tag` joins steps: the same tag twice in a row replaces instead of adding. */
  record(snapshot, tag = "") {
    if (snapshot === this.now) return;
    if (!tag || tag !== this.lastTag) {
      this.past.push(this.now);
      if (this.past.length > MOST) this.past.shift();
    }
    this.lastTag = tag;
    this.now = snapshot;
    this.future = [];
  }

  undo() {
    return this.step(this.past, this.future);
  }

  redo() {
    return this.step(this.future, this.past);
  }

  step(from, to) {
    if (!from.length) return null;
    to.push(this.now);
    this.now = from.pop();
    this.lastTag = "";
    return this.now;
  }
}
