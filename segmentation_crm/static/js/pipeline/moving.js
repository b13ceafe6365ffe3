/* Moving a deal to a stage: asks what must be known, sends it, tells what came of it. */

export class Refused extends Error {
  constructor(message, answer = {}) {
    super(message);
    this.answer = answer;
  }
}

function token() {
  return JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";
}

/* Posts a form; resolves with the JSON answer. Throws Refused with words and the answer. */
export async function post(url, data) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      body: data,
      credentials: "same-origin",
      headers: { Accept: "application/json", "X-CSRFToken": token() },
    });
  } catch {
    throw new Refused("The server could not be reached. Nothing was changed; try again.");
  }
  let answer = {};
  try {
    answer = await response.json();
  } catch {
    // a page of words about the error: its status says enough
  }
  if (response.ok) return answer;
  const words = {
    403: "Your role does not allow that, or the page is too old. Reload it and try again.",
    404: "That deal is no longer there, or not visible to you. Reload the page.",
  };
  const first = Object.values(answer.errors ?? {})[0]?.[0]?.message;
  throw new Refused(answer.problem ?? first ?? words[response.status] ?? `The server could not do that (error ${response.status}). Nothing was changed.`, { ...answer, status: response.status });
}

const dialog = () => document.getElementById("move-dialog");

function showErrors(form, errors) {
  for (const old of form.querySelectorAll(".error[data-live]")) old.remove();
  for (const field of form.querySelectorAll(".has-error")) field.classList.remove("has-error");
  const general = [];
  for (const [name, found] of Object.entries(errors ?? {})) {
    const control = form.querySelector(`[name="${name}"]`);
    const field = control?.closest(".field");
    const words = found.map((one) => one.message).join(" ");
    if (!field || field.closest("[hidden]")) {
      general.push(words);
      continue;
    }
    const line = document.createElement("div");
    line.className = "error";
    line.dataset.live = "";
    line.id = `${control.id}_problem`;
    line.textContent = words;
    field.classList.add("has-error");
    field.append(line);
    const shown = control.tomselect?.control_input ?? control;
    shown.setAttribute("aria-describedby", line.id);
    shown.focus();
  }
  const box = form.querySelector("[data-move-problem]");
  box.textContent = general.join(" ");
  box.hidden = general.length === 0;
}

function choose(select, values) {
  if (!select) return;
  if (select.tomselect) select.tomselect.setValue(values, true);
  else for (const option of select.options) option.selected = values.includes(option.value);
}

/* Asks what a closed stage wants. `send(data)` moves the deal; its refusal is shown in the dialog. Resolves with the
   answer, or null where the person cancelled or the deal was changed meanwhile. */
function ask({ kind, name, stageName, values, send }) {
  const box = dialog();
  const form = box.querySelector("[data-move-form]");
  form.reset();
  for (const part of form.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== kind;
  box.querySelector("h2").textContent = kind === "won" ? `Won: ${name}` : `Lost: ${name}`;
  box.querySelector("[data-move-words]").textContent = kind === "won"
    ? `Moves to “${stageName}”. Say when it was won, and for how much.`
    : `Moves to “${stageName}”. The reason is needed; the rest helps whoever sells next.`;
  form.elements.closed_on.value = values.closedOn ?? today();
  form.elements.amount.value = values.amount ?? "";
  choose(form.elements.lost_reason, values.lostReason ?? "");
  choose(form.elements.objections, values.objections ?? []);
  choose(form.elements.competitors, values.competitors ?? []);
  showErrors(form, {});
  return new Promise((resolve, reject) => {
    const end = (result) => {
      form.removeEventListener("submit", submit);
      box.removeEventListener("close", cancel);
      form.querySelector("[data-move-cancel]").removeEventListener("click", close);
      if (box.open) box.close();
      resolve(result);
    };
    const close = () => box.close();
    const cancel = () => end(null);
    const submit = async (event) => {
      event.preventDefault();
      event.stopPropagation();
      const button = form.querySelector("[data-move-send]");
      button.disabled = true;
      try {
        end(await send(new FormData(form)));
      } catch (error) {
        if (error instanceof Refused && error.answer.errors) showErrors(form, error.answer.errors);
        else {
          box.removeEventListener("close", cancel);
          form.removeEventListener("submit", submit);
          box.close();
          reject(error);
        }
      } finally {
        button.disabled = false;
      }
    };
    form.addEventListener("submit", submit);
    form.querySelector("[data-move-cancel]").addEventListener("click", close);
    box.addEventListener("close", cancel);
    box.showModal();
    const first = kind === "lost" ? form.elements.lost_reason : form.elements.closed_on;
    (first.tomselect ?? first).focus();
  });
}

function today() {
  const now = new Date();
  const pad = (number) => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${pad(now.getMonth() + 1)}-${pad(now.getDate())}`;
}

/* The dialog is fetched when a deal is closed for the first time: most pages never need it. */
async function fetchDialog() {
  const place = document.querySelector("[data-move-place]");
  if (!place || dialog()) return;
  // Only once it is settled its selects have become pickers, which take what is chosen and the focus.
  const settled = new Promise((resolve) => document.addEventListener("htmx:afterSettle", resolve, { once: true }));
  await window.htmx.ajax("GET", place.dataset.movePlace, { target: place, swap: "innerHTML" });
  if (dialog()) await Promise.race([settled, new Promise((resolve) => window.setTimeout(resolve, 1000))]);
  if (!dialog()) throw new Refused("What must be known of a closed deal could not be loaded. Nothing was changed; try again.");
}

/* Moves a deal {url, version, name, amount …} to a stage {slug, name, kind}; resolves with the answer or null. */
export async function move(deal, stage, extra = {}) {
  const send = (data) => {
    data.set("stage", stage.slug);
    data.set("version", deal.version);
    for (const [name, value] of Object.entries(extra)) data.set(name, value);
    return post(deal.url, data);
  };
  if (stage.kind !== "open") await fetchDialog();
  if (stage.kind === "open" || !dialog()) return send(new FormData());
  return ask({ kind: stage.kind, name: deal.name, stageName: stage.name, values: deal, send });
}
