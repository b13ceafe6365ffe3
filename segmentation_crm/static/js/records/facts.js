/* Facts edited in place: Esc cancels, the form takes the focus when it comes, the pencil when it goes. */

function focusForm(event) {
  const form = event.target.querySelector?.("[data-fact-form]");
  if (!form) return;
  const field = form.querySelector(".has-error :is(input, select, textarea)") || form.querySelector(":is(.ts-control input, .field input:not([type=hidden]), .field select, .field textarea)");
  field?.focus();
  if (field instanceof HTMLInputElement && /^(text|email|url|tel|search)$/.test(field.type)) field.select();
}

function onKey(event) {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  const form = event.target.closest?.("[data-fact-form]");
  if (!form) return;
  // an open list of a picker takes the first Esc for itself
  if (event.target.closest(".ts-wrapper.dropdown-active")) return;
  event.preventDefault();
  event.stopPropagation();
  form.querySelector("[data-fact-cancel]")?.click();
}

/* The card comes anew after an edit: what was unfolded stays so. */
let restOpen = false;

function onToggle(event) {
  if (event.target.id === "facts-rest") restOpen = event.target.open;
}

function keepOpen() {
  const rest = document.getElementById("facts-rest");
  if (rest && restOpen) rest.open = true;
}

document.addEventListener("toggle", onToggle, true);
document.addEventListener("htmx:afterSwap", keepOpen);
document.addEventListener("htmx:afterSettle", focusForm);
document.addEventListener("keydown", onKey, true);
document.addEventListener("crm:focus", (event) => document.getElementById(event.detail.id)?.focus());
