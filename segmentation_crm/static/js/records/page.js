/* Record pages: chips added by one pick, their dialog, roles by one choice, survey rows, files over the limit. */

const dialog = () => document.getElementById("known-dialog");

/* Picking a need or technology adds it: the select sends itself. */
function onPick(event) {
  const select = event.target;
  if (!(select instanceof HTMLSelectElement)) return;
  if (select.matches("[data-submit-pick]") && select.value) select.form?.requestSubmit();
  if (select.matches("[data-submit-role]") && select.value && !select.dataset.byKey) select.form?.requestSubmit();
}

/* By keyboard a select changes with every arrow: only Enter means it. */
function onRoleKey(event) {
  const select = event.target instanceof Element ? event.target.closest("[data-submit-role]") : null;
  if (!select) return;
  if (event.key === "Enter" && select.value && select.dataset.byKey) {
    event.preventDefault();
    select.form?.requestSubmit();
  } else if (event.key !== "Tab") {
    select.dataset.byKey = "1";
  }
}

function onRolePointer(event) {
  const select = event.target instanceof Element ? event.target.closest("[data-submit-role]") : null;
  if (select) delete select.dataset.byKey;
}

/* After a chip was added the next one can be typed at once; after the timeline was filtered the chip keeps the focus. */
function afterSettle(event) {
  const part = event.target;
  if (!(part instanceof Element)) return;
  const panel = part.matches("[data-focus-picker]") ? part : null;
  if (panel) {
    delete panel.dataset.focusPicker;
    // the picker itself is made by the listener of another module
    window.setTimeout(() => panel.querySelector("select[data-picker]")?.tomselect?.focus());
  }
  if (part.id === "timeline" && chipInUse) {
    part.querySelector(`[data-chip="${chipInUse}"]`)?.focus();
    chipInUse = "";
  }
  if (part.id === "known-dialog-body" && part.childElementCount && !dialog().open) dialog().showModal();
}

let chipInUse = "";

function onClick(event) {
  const target = event.target instanceof Element ? event.target : null;
  const chip = target?.closest("[data-chip]");
  if (chip) chipInUse = chip.dataset.chip;
  const adder = target?.closest("[data-add-row]");
  if (!adder) return;
  const rows = document.getElementById("survey-rows");
  const template = document.getElementById("survey-row-template");
  if (rows.querySelectorAll(".survey-row").length >= Number(adder.dataset.most)) return;
  rows.append(template.content.cloneNode(true));
  rows.querySelector(".survey-row:last-of-type input")?.focus();
}

/* A file over the limit is told before it travels. */
function onUpload(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches("[data-upload][data-limit-mb]")) return;
  const file = form.querySelector("input[type=file]").files[0];
  const limit = Number(form.dataset.limitMb);
  const words = file && file.size > limit * 1024 * 1024 ? `The file is larger than ${limit} MB. Keep it elsewhere and note its link.` : "";
  form.querySelector(".file-problem").textContent = words;
  if (words) {
    event.preventDefault();
    delete form.dataset.sent;
  }
}

document.addEventListener("change", onPick);
document.addEventListener("keydown", onRoleKey);
document.addEventListener("pointerdown", onRolePointer);
document.addEventListener("click", onClick);
document.addEventListener("submit", onUpload);
document.addEventListener("htmx:afterSettle", afterSettle);
document.addEventListener("records:close", () => dialog()?.close());
