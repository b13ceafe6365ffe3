/* A list put into order by dragging: sends the ids as its form's `order`. The arrows do the same without dragging. */
for (const list of document.querySelectorAll("[data-order-list]")) {
  const form = list.closest("[data-order-form]");
  // eslint-disable-next-line no-undef
  Sortable.create(list, {
    handle: ".grip",
    animation: 120,
    onEnd: (event) => {
      if (event.oldIndex === event.newIndex) return;
      const field = form.querySelector("input[name=order]");
      field.value = [...list.children].map((item) => item.dataset.id).join(",");
      field.disabled = false;
      form.requestSubmit();
    },
  });
}
