/* The dry run before a changed rule is saved: who would enter, who would leave, what depends on the segment. */
import { ApiError, call } from "./api.js";
import { formatNumber, h } from "./dom.js";

const WORDS = { account: ["account", "accounts"], contact: ["contact", "contacts"] };

function counted(count, record) {
  return `${formatNumber(count)} ${WORDS[record]?.[count === 1 ? 0 : 1] ?? record}`;
}

function side(title, tone, found, record, recordPath) {
  const more = found.count - found.sample.length;
  return h("section", {},
    h("h3", { class: tone }, `${counted(found.count, record)} would ${title}`),
    found.count ? h("ul", {}, found.sample.map((item) => h("li", {}, h("a", { href: `${recordPath}${item.id}/`, target: "_blank", rel: "noopener" }, item.name)))) : null,
    more > 0 ? h("p", { class: "muted small mb-0" }, found.list_url ? h("a", { href: found.list_url, target: "_blank", rel: "noopener" }, `All ${formatNumber(found.count)}`) : `and ${formatNumber(more)} more`) : null,
  );
}

function body(found, record, recordPath) {
  const after = found.member_count + found.entered.count - found.left.count;
  return [
    h("p", {}, `${counted(found.member_count, record)} now, ${formatNumber(after)} afterwards${found.narrowed ? " (of those you may see)" : ""}.`),
    h("div", { class: "impact-sides" }, side("enter", "impact-in", found.entered, record, recordPath), side("leave", "impact-out", found.left, record, recordPath)),
    found.by_hand && (found.entered.list_url || found.left.list_url) ? h("p", { class: "muted small" }, "The counts heed decisions by hand; the lists show what the rule alone says.") : null,
    found.dependents.length ? h("section", {},
      h("h3", { class: "panel-title" }, "What depends on this segment"),
      h("ul", { class: "uses" }, found.dependents.map((item) => h("li", {}, item.url ? h("a", { href: item.url, target: "_blank", rel: "noopener" }, item.name) : item.name, " ", h("span", { class: "muted" }, item.kind)))),
    ) : h("p", { class: "muted mb-0" }, "Nothing else depends on this segment."),
  ];
}

/* Resolves to true where the person wants to save. A dry run that cannot be made says so and leaves the choice. */
export async function agreed(url, rules, record, recordPath) {
  let content;
  try {
    content = body(await call("POST", url, { body: { rules } }), record, recordPath);
  } catch (error) {
    // What is wrong with the rule is shown by saving it.
    if (error instanceof ApiError && [400, 404].includes(error.status)) return true;
    content = [h("p", {}, error instanceof ApiError ? `Who would enter and leave could not be counted: ${error.message}` : "The server could not be reached.")];
  }
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "dialog impact", "aria-labelledby": "impact-title" },
      h("form", { method: "dialog" },
        h("div", { class: "dialog-body" }, h("h2", { id: "impact-title" }, "What saving this rule would change"), content),
        h("div", { class: "dialog-acts" },
          h("button", { class: "btn", value: "back" }, "Keep editing"),
          h("button", { class: "btn btn-primary", value: "save" }, "Save the rule"))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "save");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
