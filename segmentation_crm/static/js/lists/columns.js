/* The chooser of a list's columns: ticking shows one, dragging or the arrows order them. Without this script the
   ticked ones are shown in the order of the page. */
const form = document.querySelector("form[data-columns]");

function say(text) {
  document.querySelector("[data-columns-live]").textContent = text;
}

function nameOf(line) {
  return line.querySelector(".columns-name").textContent.trim();
}

function move(line, step) {
  const list = line.parentElement;
  const other = step < 0 ? line.previousElementSibling : line.nextElementSibling;
  if (!other || other.classList.contains("fixed")) return;
  if (step < 0) list.insertBefore(line, other);
  else list.insertBefore(other, line);
  const place = [...list.children].indexOf(line) + 1;
  say(`${nameOf(line)} is column ${place}.`);
}

/* A ticked column of the right-hand side becomes the last one shown. */
function show(entry) {
  const label = entry.querySelector(".columns-name");
  const line = form.querySelector("[data-column-template]").content.firstElementChild.cloneNode(true);
  line.dataset.column = entry.dataset.column;
  line.querySelector(".columns-name").replaceWith(label);
  const name = nameOf(line);
  line.querySelector('[data-move="-1"]').setAttribute("aria-label", `Move ${name} up`);
  line.querySelector('[data-move="1"]').setAttribute("aria-label", `Move ${name} down`);
  form.querySelector("[data-columns-shown]").append(line);
  entry.remove();
  line.querySelector("input").focus();
  line.scrollIntoView({ block: "nearest" });
  say(`${name} is shown as the last column.`);
  hideEmptyGroups();
}

function hideEmptyGroups() {
  for (const group of form.querySelectorAll("[data-column-group]")) {
    group.hidden = !group.querySelector("[data-column]:not([hidden])");
  }
}

function find(text) {
  const wanted = text.trim().toLowerCase();
  for (const entry of form.querySelectorAll("[data-columns-more] [data-column]")) {
    entry.hidden = wanted !== "" && !entry.textContent.toLowerCase().includes(wanted);
  }
  hideEmptyGroups();
}

if (form) {
  form.addEventListener("change", (event) => {
    const entry = event.target.closest("[data-columns-more] [data-column]");
    if (entry && event.target.checked) show(entry);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    move(button.closest("li"), Number(button.dataset.move));
    button.focus();
  });
  form.querySelector("[data-columns-find]").addEventListener("input", (event) => find(event.target.value));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-columns-find]")) event.preventDefault();
  });
  window.addEventListener("load", () => {
    if (!window.Sortable) return;
    window.Sortable.create(form.querySelector("[data-columns-shown]"), {
      handle: "[data-grip]",
      filter: ".fixed",
      animation: 120,
      onMove: (event) => !event.related.classList.contains("fixed"),
    });
  });
}
