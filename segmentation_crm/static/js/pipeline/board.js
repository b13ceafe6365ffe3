/* The board: cards move by mouse, finger or their menu; a move that fails is taken back. */
import { notify } from "../shell.js";
import { move } from "./moving.js";

const board = document.querySelector("[data-board]");
const news = document.querySelector("[data-board-news]");

const columnOf = (slug) => board.querySelector(`[data-column="${CSS.escape(slug)}"]`);
const nameOf = (column) => column.querySelector("h2").textContent;

function announce(text) {
  news.textContent = "";
  window.setTimeout(() => { news.textContent = text; }, 50);
}

function parse(html) {
  const box = document.createElement("template");
  box.innerHTML = html.trim();
  return box.content;
}

function showHeads(heads) {
  for (const [slug, head] of Object.entries(heads ?? {})) {
    const column = columnOf(slug);
    if (!column) continue;
    column.querySelector("[data-count]").textContent = head.count;
    column.querySelector("[data-sum]").textContent = head.amount;
  }
}

/* Puts the card as the server knows it now where it belongs. */
function settle(card, answer, focus) {
  const fresh = answer.card ? parse(answer.card).firstElementChild : null;
  const column = columnOf(answer.stage);
  if (!fresh || !column) {
    card.remove();
  } else if (card.parentElement === column.querySelector("[data-cards]")) {
    card.replaceWith(fresh);
  } else {
    card.remove();
    column.querySelector("[data-cards]").prepend(fresh);
  }
  showHeads(answer.heads);
  if (focus) (fresh?.querySelector(".deal-menu summary") ?? fresh?.querySelector(".deal-name"))?.focus();
}

async function moveCard(card, column, back, focus) {
  const stage = { slug: column.dataset.column, name: nameOf(column), kind: column.dataset.kind };
  const deal = {
    url: card.dataset.moveUrl,
    version: card.dataset.version,
    name: card.dataset.name,
    amount: card.dataset.amount,
  };
  card.classList.add("is-moving");
  card.setAttribute("aria-busy", "true");
  try {
    const answer = await move(deal, stage, { board_query: board.dataset.query });
    if (answer === null) {
      back();
      announce(`${deal.name} stays where it was.`);
      return;
    }
    settle(card, answer, focus);
    announce(`${deal.name} moved to ${stage.name}.`);
  } catch (error) {
    back();
    if (error.answer?.card) settle(card, error.answer, focus);
    notify(error.message);
    announce(error.message);
  } finally {
    card.classList.remove("is-moving");
    card.removeAttribute("aria-busy");
  }
}

function returner(card) {
  const list = card.parentElement;
  const next = card.nextElementSibling;
  return () => {
    if (next && next.parentElement === list) list.insertBefore(card, next);
    else list.append(card);
  };
}

async function load(button, address, list) {
  button.disabled = true;
  try {
    const response = await fetch(address, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(String(response.status));
    const content = parse(await response.text());
    const known = new Set([...list.querySelectorAll("[data-deal]")].map((one) => one.dataset.deal));
    for (const card of content.querySelectorAll("[data-deal]")) if (known.has(card.dataset.deal)) card.remove();
    const first = content.querySelector("[data-deal] .deal-name");
    button.closest(".deal-more")?.remove();
    list.append(content);
    return first;
  } catch {
    notify("The deals of this stage could not be loaded. Try again.");
    return null;
  } finally {
    button.disabled = false;
  }
}

async function unfold(button) {
  const column = button.closest("[data-column]");
  const opens = column.classList.toggle("is-folded") === false;
  button.setAttribute("aria-expanded", String(opens));
  if (opens && !button.dataset.loaded) {
    button.dataset.loaded = "1";
    await load(button, button.dataset.unfold, column.querySelector("[data-cards]"));
  }
}

board?.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-move-to]");
  if (choice) {
    const card = choice.closest("[data-deal]");
    const column = columnOf(choice.dataset.moveTo);
    choice.closest("details").removeAttribute("open");
    if (!column) return;
    const back = returner(card);
    column.querySelector("[data-cards]").prepend(card);
    moveCard(card, column, () => { back(); card.querySelector(".deal-menu summary")?.focus(); }, true);
    return;
  }
  const more = event.target.closest("[data-more]");
  if (more) {
    load(more, more.dataset.more, more.closest("[data-cards]")).then((first) => first?.focus());
    return;
  }
  const fold = event.target.closest("[data-unfold]");
  if (fold) unfold(fold);
});

if (board && "canMove" in board.dataset) {
  for (const list of board.querySelectorAll("[data-cards]")) {
    let back = null;
    // eslint-disable-next-line no-undef
    Sortable.create(list, {
      group: "board",
      draggable: ".deal-card",
      filter: ".deal-menu",
      preventOnFilter: false,
      sort: false,
      animation: 120,
      forceFallback: true,
      fallbackOnBody: true,
      fallbackTolerance: 5,
      delay: 180,
      delayOnTouchOnly: true,
      ghostClass: "is-ghost",
      dragClass: "is-dragged",
      onStart: (event) => {
        back = returner(event.item);
        board.classList.add("is-dragging");
      },
      onEnd: (event) => {
        board.classList.remove("is-dragging");
        if (event.to !== event.from) moveCard(event.item, event.to.closest("[data-column]"), back, false);
      },
    });
  }
}
