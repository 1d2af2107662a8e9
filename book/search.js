// What stands below each result of the search: the sections that hold what was searched for, with the words around it.
// `sections` is {page: [[anchor, title, text]]}, which hgnb_book.hits puts in front. Pages opened from disk may not read
// each other, so the theme's own summaries can't be had there.
(() => {
  "use strict";

  const MOST = 3; // sections of a page
  const AROUND = 90; // letters on either side of a hit

  const stemmer = new Stemmer(); // Sphinx's, by which its index was made
  const asked = splitQuery(new URLSearchParams(location.search).get("q") ?? "").map((word) => word.toLowerCase());
  const escaped = asked.map((word) => stemmer.stemWord(word).replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const wanted = escaped.map((stem) => new RegExp(`(?<![\\p{L}\\p{N}])${stem}[\\p{L}\\p{N}]*`, "giu"));

  const hits = (text) => wanted.map((word) => [...text.matchAll(word)]).filter((found) => found.length);

  // The words around the first hit, all hits in them marked.
  function excerpt(text) {
    const first = Math.min(...hits(text).map((found) => found[0].index));
    const start = first > AROUND ? text.indexOf(" ", first - AROUND) + 1 : 0;
    const cut = text.lastIndexOf(" ", first + AROUND);
    const end = text.length > first + AROUND && cut > first ? cut : text.length;
    const node = document.createElement("p");
    let at = start;
    node.append(start ? "… " : "");
    for (const hit of hits(text).flat().sort((a, b) => a.index - b.index)) {
      if (hit.index < at || hit.index + hit[0].length > end) continue;
      const mark = document.createElement("mark");
      mark.textContent = hit[0];
      node.append(text.slice(at, hit.index), mark);
      at = hit.index + hit[0].length;
    }
    node.append(text.slice(at, end), end < text.length ? " …" : "");
    return node;
  }

  const explained = new WeakSet();

  function explain(item) {
    if (explained.has(item)) return; // it came with its list, which was told of, too
    explained.add(item);
    const link = item.querySelector("a");
    const [page, anchor] = (link?.getAttribute("href") ?? "").split("#");
    const found = (sections[page] ?? [])
      .filter(([name]) => !anchor || name === anchor)
      .map(([name, title, text]) => ({ name, title, text, hits: hits(`${title} ${text}`) }))
      .filter((section) => section.hits.length)
      .sort((a, b) => b.hits.length - a.hits.length || b.hits.flat().length - a.hits.flat().length);
    for (const { name, title, text } of found.slice(0, MOST)) {
      const box = document.createElement("div");
      box.className = "hit";
      if (!anchor) {
        const way = document.createElement("a");
        way.href = `${page}#${name}`;
        way.textContent = title;
        box.append(way);
      }
      if (hits(text).length) box.append(excerpt(text));
      item.append(box);
    }
  }

  new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      if (node.matches?.("ul.search > li")) explain(node);
      node.querySelectorAll?.("ul.search > li").forEach(explain);
    }
  }).observe(document.getElementById("search-results"), { childList: true, subtree: true });
})();
