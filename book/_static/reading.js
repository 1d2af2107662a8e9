// What a reader's keys and a small screen need: a field that searches the page it stands on, boxes that scroll by keys,
// tables and formulas that fit.
(() => {
  "use strict";

  const NARROW = 576; // pixels of a screen, as in book.css
  const SHORT = 24; // letters of a value that has room beside another one
  const SMALLEST = 0.65; // of a formula's size

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
    if (scrolls === (box.tabIndex === 0)) return; // the theme sets −1 where it thinks that nothing scrolls
    if (!scrolls) return box.removeAttribute("tabindex");
    box.tabIndex = 0;
    if (box.hasAttribute("role")) return;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Scrolls sideways");
  }

  // On a phone, a table that is wider than the screen shows its rows one below the other, each value with its head.
  function stack(table) {
    table.classList.remove("stacked");
    if (innerWidth > NARROW || table.offsetWidth <= table.parentElement.clientWidth + 1 || !table.tHead) return;
    const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim());
    for (const row of table.tBodies[0].rows) {
      [...row.cells].forEach((cell, column) => {
        cell.dataset.head = heads[column] ?? "";
        cell.classList.toggle("words", cell.textContent.length > SHORT);
      });
    }
    table.classList.add("stacked");
  }

  // A formula that is wider than its line becomes smaller, as far as it can be read; beyond that it scrolls.
  function fit(host) {
    const formula = host.querySelector('mjx-container[display="true"]');
    if (!formula) return;
    const size = (formula.dataset.size ??= parseFloat(formula.style.fontSize) || 100);
    formula.style.fontSize = `${size}%`;
    const share = formula.clientWidth / formula.scrollWidth;
    if (share < 1) formula.style.fontSize = `${Math.max(0.98 * share, SMALLEST) * size}%`;
  }

  // Does `act` with each element now and whenever `box(element)` has another width.
  function whenever(elements, box, act) {
    const widths = new Map();
    const watch = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) {
        const [element, width] = widths.get(target);
        if (width === contentRect.width) continue;
        widths.set(target, [element, contentRect.width]);
        act(element);
      }
    });
    for (const element of elements) {
      widths.set(box(element), [element, -1]);
      watch.observe(box(element));
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".find-on-page").forEach(findable);
    const tables = document.querySelectorAll(".bd-article .pst-scrollable-table-container > table");
    whenever(tables, (table) => table.parentElement, stack);
    const watch = new ResizeObserver((entries) => entries.forEach((entry) => reachable(entry.target)));
    document.querySelectorAll(BOXES).forEach((box) => watch.observe(box));
  });
  // formulas are there when MathJax has set them
  addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    whenever(document.querySelectorAll(".bd-article div.math"), (host) => host, fit);
  });
})();
