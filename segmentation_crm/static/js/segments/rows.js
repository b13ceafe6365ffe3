/* Rows of a form that people add, remove and put into order; without this module the rows that are there still work. */
const list = document.querySelector("[data-rows]");
const template = document.querySelector("template[data-row]");
const add = document.querySelector("[data-row-add]");

function refresh() {
  const rows = [...list.children];
  rows.forEach((row, index) => {
    const [up, down, remove] = ["up", "down", "remove"].map((name) => row.querySelector(`[data-row-${name}]`));
    for (const button of [up, down, remove]) button.hidden = false;
    up.disabled = index === 0;
    down.disabled = index === rows.length - 1;
    remove.disabled = rows.length === 1;
  });
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = event.target.closest("li");
  if (!button || !row) return;
  if ("rowUp" in button.dataset) row.previousElementSibling?.before(row);
  if ("rowDown" in button.dataset) row.nextElementSibling?.after(row);
  if ("rowRemove" in button.dataset) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    next?.querySelector("input")?.focus();
  }
  refresh();
  if (row.isConnected) (button.disabled ? row.querySelector("button:not([disabled])") : button)?.focus();
});

add.hidden = false;
add.addEventListener("click", () => {
  list.append(template.content.cloneNode(true));
  refresh();
  list.lastElementChild.querySelector("input").focus();
});
refresh();
