/* The record menu: its dialog opens once the server has said what a deletion touches. */
document.addEventListener("htmx:afterSwap", (event) => {
  const dialog = event.target;
  if (dialog.id !== "record-dialog" || dialog.open) return;
  for (const menu of document.querySelectorAll("details.record-menu[open]")) menu.removeAttribute("open");
  dialog.showModal();
});
