/* The page of a deal: the stepper moves it; parts that the server refuses with words (422) are shown. */
import { notify } from "../shell.js";
import { move } from "./moving.js";

const list = (text) => (text ?? "").split(" ").filter(Boolean);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-stepper] [data-stage]");
  if (!button) return;
  const data = button.closest("[data-stepper]").dataset;
  const deal = {
    url: data.moveUrl,
    version: data.version,
    name: data.name,
    amount: data.amount,
    lostReason: data.lostReason,
    closedOn: data.closedOn || undefined,
    objections: list(data.objections),
    competitors: list(data.competitors),
  };
  const stage = { slug: button.dataset.stage, name: button.dataset.stageName, kind: button.dataset.kind };
  button.disabled = true;
  try {
    if (await move(deal, stage)) window.location.reload();
  } catch (error) {
    notify(error.message);
  } finally {
    button.disabled = false;
  }
});

/* A part that comes back with 422 holds what was typed and says what is wrong. */
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

/* What was saved in a part of the page shows in the figures, flags and stages at its top, with the deal's version. */
let asked = 0;
async function refreshHead() {
  const mine = (asked += 1);
  try {
    const response = await fetch(window.location.href, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (!response.ok || mine !== asked) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("deal-head");
    if (fresh && mine === asked) document.getElementById("deal-head")?.replaceWith(document.importNode(fresh, true));
  } catch {
    // the part itself is saved; the top follows with the next page
  }
}

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.detail.requestConfig.verb !== "get") refreshHead();
});
