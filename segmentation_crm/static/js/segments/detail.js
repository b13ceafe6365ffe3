/* The segment page: keep a member out with a reason, put a record in, show the members once their job has ended. */
import { ChoiceBox } from "../builder/choice.js";
import { setIcons } from "../builder/dom.js";
import { Values } from "../builder/values.js";

function openExclude(button) {
  const dialog = document.getElementById("exclude-dialog");
  dialog.querySelector("[name=record]").value = button.dataset.exclude;
  dialog.querySelector("[data-record-name]").textContent = button.dataset.name;
  dialog.showModal();
  dialog.querySelector("[name=reason]").focus();
}

function includeBox(form) {
  setIcons(form.dataset.iconsUrl);
  const values = new Values(form.dataset.valuesUrl);
  const box = new ChoiceBox({
    values: [], multiple: false, name: "Record", placeholder: "search by name", focusKey: "record",
    source: (text) => values.search(form.dataset.field, text),
    label: (value) => values.label(form.dataset.field, value),
    onChange: ([id]) => { form.elements.record.value = id ?? ""; },
  });
  form.querySelector("[data-record-box]").append(box.element);
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-exclude]") : null;
  if (button) openExclude(button);
});

document.querySelectorAll("[data-include-form]").forEach(includeBox);

/* The progress asks for itself every second; when it says that the job is done, the page shows the new members. */
const waiting = document.querySelector("[data-reload-when-done]");
if (waiting?.querySelector('[data-state="queued"], [data-state="running"]')) {
  document.body.addEventListener("htmx:afterSettle", () => {
    if (waiting.querySelector('[data-state="done"]')) window.location.reload();
  });
}
