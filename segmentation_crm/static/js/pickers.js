/* Search-as-you-type selects: <select data-picker>, with data-options-url for lists too long to send whole. */

/* Tom Select draws options as HTML: names come from data and must stay text. */
function line(data, escape) {
  const sub = data.sub ? `<small class="d-block muted">${escape(data.sub)}</small>` : "";
  return `<div>${escape(data.text)}${sub}</div>`;
}

function loader(url) {
  return function load(query, done) {
    this.clearOptions(); // what was found for an earlier text no longer counts
    const address = new URL(url, window.location.href);
    address.searchParams.set("q", query);
    fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" })
      .then((response) => (response.ok ? response.json() : { results: [] }))
      .then((data) => done(data.results))
      .catch(() => done());
  };
}

export function enhance(root = document) {
  for (const select of root.querySelectorAll("select[data-picker]:not(.tomselected)")) {
    const url = select.dataset.optionsUrl;
    const settings = {
      // one that sends itself holds nothing: its placeholder stays
      allowEmptyOption: !select.multiple && select.dataset.submitPick === undefined,
      maxOptions: 200,
      plugins: select.multiple ? ["remove_button"] : [],
      placeholder: select.dataset.placeholder || "Type to search",
      render: { option: line, item: (data, escape) => `<div>${escape(data.text)}</div>` },
    };
    if (url) Object.assign(settings, { load: loader(url), shouldLoad: (query) => query.length > 1, score: () => () => 1 });
    if (select.dataset.create !== undefined) {
      Object.assign(settings, {
        // among several values, keys of terms, a new word must say that it is one
        create: select.multiple ? (text) => ({ value: `new:${text.trim()}`, text: text.trim() }) : true,
        createFilter: (text) => text.trim().length > 0 && text.length <= 200,
      });
      settings.render.option_create = (data, escape) => `<div class="create">Add “${escape(data.input)}”</div>`;
    }
    // eslint-disable-next-line no-undef
    new TomSelect(select, settings);
    select.setAttribute("aria-hidden", "true"); // the label now names the control that stands in for it
  }
}

enhance();
document.addEventListener("htmx:afterSettle", (event) => enhance(event.target));
