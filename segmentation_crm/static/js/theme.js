/* Runs before the page is painted: theme and folded sidebar as this browser last had them. */
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");

  function stored(key) {
    try {
      return window.localStorage.getItem(key);
    } catch (error) {
      return null; // storage may be blocked; the defaults then hold
    }
  }

  function apply() {
    var choice = stored("crm-theme");
    var isDark = choice === "dark" || (choice !== "light" && dark.matches);
    root.setAttribute("data-bs-theme", isDark ? "dark" : "light");
    root.setAttribute("data-theme-choice", choice === "dark" || choice === "light" ? choice : "system");
  }

  apply();
  dark.addEventListener("change", apply);
  window.addEventListener("storage", apply);
  document.addEventListener("crm:theme", apply);
  if (stored("crm-side") === "folded") root.setAttribute("data-side", "folded");
})();
