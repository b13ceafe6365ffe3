/* Contacts without account: tick all of the page, name the domain in the dialog. */
for (const form of document.querySelectorAll("[data-select-form]")) {
  const all = form.querySelector("[data-select-all]");
  const boxes = [...form.querySelectorAll("input[name=pk]")];
  all?.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  form.addEventListener("change", () => {
    const ticked = boxes.filter((box) => box.checked).length;
    if (!all) return;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  });
}

const dialog = document.getElementById("domain-dialog");
document.addEventListener("click", (event) => {
  const opener = event.target instanceof Element ? event.target.closest("[data-give-domain]") : null;
  if (!opener || !dialog) return;
  dialog.querySelector("input[name=domain]").value = opener.dataset.giveDomain;
  dialog.querySelector("[data-domain-name]").textContent = opener.dataset.giveDomain;
  dialog.showModal();
});
