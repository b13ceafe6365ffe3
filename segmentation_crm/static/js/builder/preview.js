/* Live counts: waits until the rule is complete and typing rests, gives up requests that are superseded. */
import { ApiError, call } from "./api.js";

const REST_MS = 250;
const MOST_TRIES = 5;

export class Preview {
  /* on: {waiting(missing), counting(), done(result, paths), failed(error, paths)} */
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.timer = 0;
    this.running = null;
    this.sent = 0;
  }

  /* `build` returns {missing: [...]} or {body, paths}. */
  schedule(build, delay = REST_MS) {
    window.clearTimeout(this.timer);
    this.running?.abort();
    this.running = null;
    this.sent += 1;
    const built = build();
    if (built.missing?.length) {
      this.on.waiting(built.missing);
      return;
    }
    this.on.counting();
    this.timer = window.setTimeout(() => this.send(built, this.sent, 1), delay);
  }

  async send(built, number, attempt) {
    const controller = new AbortController();
    this.running = controller;
    try {
      const result = await call("POST", this.url, { body: built.body, signal: controller.signal });
      if (number === this.sent) this.on.done(result, built.paths);
    } catch (error) {
      if (error.name === "AbortError" || number !== this.sent) return;
      const isBusy = error instanceof ApiError && error.status === 429;
      if (isBusy && attempt < MOST_TRIES) {
        this.timer = window.setTimeout(() => this.send(built, number, attempt + 1), Math.max(1, error.retryAfter) * 1000);
        return;
      }
      this.on.failed(error, built.paths);
    }
  }
}
