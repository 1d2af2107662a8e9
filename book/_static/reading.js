// What a reader's keys need: a field that searches the page it stands on, and boxes that scroll by keys.
(() => {
  "use strict";

  // A field in place of `host` that leaves only the sections which hold all of its words.
  function findable(host) {
    const sections = [...host.closest("article").querySelectorAll("section section")];
    const items = sections.filter((section) => !section.querySelector("section"));
    const groups = sections.filter((section) => section.querySelector("section"));
    const words = items.map((item) => item.textContent.toLowerCase());
    const field = document.createElement("input");
    field.type = "search";
    field.placeholder = "Find on this page";
    field.setAttribute("aria-label", "Find on this page");
    const count = document.createElement("output");
    function update() {
      const wanted = field.value.toLowerCase().split(/\s+/);
      items.forEach((item, i) => (item.hidden = !wanted.every((word) => words[i].includes(word))));
      for (const group of groups) group.hidden = [...group.querySelectorAll("section")].every((item) => item.hidden);
      const found = items.filter((item) => !item.hidden).length;
      count.textContent = `${found} of ${items.length}`;
    }
    field.addEventListener("input", update);
    // a link to an entry that isn't shown now shows them all
    addEventListener("hashchange", () => {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!target?.closest("[hidden]")) return;
      field.value = "";
      update();
      target.scrollIntoView();
    });
    host.replaceChildren(field, count);
    update();
  }

  // A box that is too small for what it holds can be reached and scrolled without a mouse.
  const BOXES = ".bd-article .cell_output, .bd-article .pst-scrollable-table-container, .bd-article pre";
  function reachable(box) {
    const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (scrolls === box.hasAttribute("tabindex")) return;
    if (!scrolls) return box.removeAttribute("tabindex");
    box.tabIndex = 0;
    if (box.hasAttribute("role")) return;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Scrolls sideways");
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".find-on-page").forEach(findable);
    const watch = new ResizeObserver((entries) => entries.forEach((entry) => reachable(entry.target)));
    document.querySelectorAll(BOXES).forEach((box) => watch.observe(box));
  });
})();
