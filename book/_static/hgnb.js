// Interactive parts of the pages, and tables that sort; no library, and no request but for pictures beside the page.
// A part is data that a figure function wrote (figures.page.Live) for a figure that stands without this script.
// Strings of the data become text nodes, never markup: they come from annotations.
(() => {
  "use strict";

  const LONG = 20; // rows that a table shows without scrolling
  // name -> (data, sheets, alt, host) => { node, draw, beside }; a script of its own adds its part to window.hgnb.parts
  const parts = Object.assign((window.hgnb ??= { parts: {} }).parts, { scatter, walk });

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(name, value);
      else if (value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const written = (value, digits) => value.toFixed(digits).replace(/^-(?=0(\.0*)?$)/, "").replace("-", "−");
  const grouped = (text) => text.replace(/^(−?)(\d{4,})/, (_, sign, whole) => sign + Number(whole).toLocaleString("en"));
  let ids = 0;

  // Square pictures of one kind in one file, loaded when the part comes near the screen.
  class Sheet {
    constructor({ name, cell, columns, source }) {
      Object.assign(this, { name, cell, columns, source });
    }
    load() {
      return new Promise((done, failed) => {
        const image = new Image();
        image.onload = () => done((this.image = image));
        image.onerror = failed;
        image.src = this.source;
      });
    }
    draw(pen, index, x, y, side) {
      if (!this.image) return;
      const { cell, columns } = this;
      pen.drawImage(this.image, (index % columns) * cell, Math.floor(index / columns) * cell, cell, cell, x, y, side, side);
    }
  }

  // The pictures of one thing with its name and facts, said to a screen reader as they change.
  class Card {
    constructor(sheets) {
      this.frames = sheets.map((sheet) => {
        const canvas = element("canvas", { width: sheet.cell, height: sheet.cell, role: "img" });
        return { sheet, canvas, box: element("div", { class: "live-picture" }, canvas, element("span", {}, sheet.name)) };
      });
      this.words = element("p", { class: "live-words", "aria-live": "polite" });
      const pictures = element("div", { class: "live-pictures" }, ...this.frames.map((frame) => frame.box));
      this.node = element("div", { class: "live-card" }, pictures, this.words);
    }
    show(name, facts, cells, prefix = "") {
      this.frames.forEach(({ sheet, canvas, box }, i) => {
        const pen = canvas.getContext("2d");
        pen.clearRect(0, 0, sheet.cell, sheet.cell);
        box.hidden = !(cells[i] >= 0);
        if (!box.hidden) sheet.draw(pen, cells[i], 0, 0, sheet.cell);
        canvas.setAttribute("aria-label", `${sheet.name}, ${name}`);
      });
      const said = `${prefix}${name}. ${facts}`;
      if (this.said === said) return; // pictures that arrive late are no news
      this.said = said;
      this.words.replaceChildren(element("strong", {}, prefix + name), element("span", {}, facts));
    }
  }

  // A canvas as wide as its box and sharp on every screen; `paint` gets a pen in CSS pixels and the colours of the page.
  class Board {
    constructor(attributes, paint) {
      this.canvas = element("canvas", attributes);
      this.paint = paint;
      new ResizeObserver(() => this.draw()).observe(this.canvas);
    }
    draw() {
      this.waiting ??= requestAnimationFrame(() => {
        this.waiting = undefined;
        const { clientWidth: width, clientHeight: height } = this.canvas;
        if (!width) return;
        const scale = devicePixelRatio || 1;
        this.canvas.width = Math.round(width * scale);
        this.canvas.height = Math.round(height * scale);
        const pen = this.canvas.getContext("2d");
        pen.scale(scale, scale);
        const styles = getComputedStyle(this.canvas);
        this.paint(pen, width, height, (name) => styles.getPropertyValue(`--live-${name}`).trim());
      });
    }
    place(event) {
      const box = this.canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    }
  }

  // Round numbers between low and high, about `count` of them, as [value, text].
  function ticks(low, high, count) {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push([i * step, grouped(written(i * step, digits))]);
    return found;
  }

  // Points of a plane that show what they are. data: axes [x, y] of { label, low, high }; points and dots in 0..1
  // between low and high, y upwards; names and facts of the points; stamp: the sheet whose pictures stand on the map,
  // null where there are none: then the figure says more than the map (lines, letters), and both are shown.
  function scatter(data, sheets, alt) {
    const EDGE = { left: 56, right: 8, top: 8, bottom: 40 };
    const MARGIN = 0.07; // around the outermost points
    const view = { x: -MARGIN, y: -MARGIN, width: 1 + 2 * MARGIN }; // the lower left corner of what is seen
    const whole = view.width;
    const hint = element(
      "p",
      { class: "live-hint", id: `live-${++ids}` },
      `Point at a ${data.noun}, tap it, or walk with the arrow keys. A click or Enter keeps it, Esc lets it go. Closer by, with +, ${data.stamp === null ? "" : "more of them have room for a picture, and "}the map can be dragged.`,
    );
    const board = new Board(
      { class: "live-board", tabindex: 0, role: "application", "aria-label": alt, "aria-describedby": hint.id },
      paint,
    );
    const cards = [new Card(sheets), new Card(sheets)];
    let pointed = 0;
    let kept = null;
    let stamped = []; // points whose pictures stand on the map now
    let tile = 0;
    let area = { width: 1, height: 1 };

    const left = (u) => EDGE.left + ((u - view.x) / view.width) * area.width;
    const top = (v) => EDGE.top + (1 - (v - view.y) / view.width) * area.height;
    const at = (i) => ({ x: left(data.points[i][0]), y: top(data.points[i][1]) });
    const seen = ({ x, y }) =>
      x >= EDGE.left && x <= EDGE.left + area.width && y >= EDGE.top && y <= EDGE.top + area.height;

    function paint(pen, width, height, colour) {
      area = { width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.bottom };
      axes(pen, width, height, colour);
      pen.save();
      pen.beginPath();
      pen.rect(EDGE.left, EDGE.top, area.width, area.height);
      pen.clip();
      pen.fillStyle = colour("dot");
      for (const [u, v] of data.dots) pen.fillRect(left(u) - 1, top(v) - 1, 2, 2);
      pen.fillStyle = colour("point");
      data.points.forEach((_, i) => spot(pen, at(i), data.points.length > 300 ? 2 : 2.6));
      if (data.stamp !== null) stamps(pen, colour);
      mark(pen, pointed, colour("pointed"));
      if (kept !== null) mark(pen, kept, colour("kept"));
      pen.restore();
    }

    function axes(pen, width, height, colour) {
      pen.fillStyle = colour("ink");
      pen.strokeStyle = colour("rule");
      pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
      const [x, y] = data.axes;
      const value = (axis, u) => axis.low + u * (axis.high - axis.low);
      pen.textAlign = "center";
      for (const [tick, text] of ticks(value(x, view.x), value(x, view.x + view.width), area.width / 90)) {
        const here = left((tick - x.low) / (x.high - x.low));
        pen.strokeRect(here, EDGE.top, 0, area.height);
        pen.fillText(text, here, EDGE.top + area.height + 15);
      }
      pen.fillText(x.label, EDGE.left + area.width / 2, height - 6);
      pen.textAlign = "right";
      for (const [tick, text] of ticks(value(y, view.y), value(y, view.y + view.width), area.height / 80)) {
        const here = top((tick - y.low) / (y.high - y.low));
        pen.strokeRect(EDGE.left, here, area.width, 0);
        pen.fillText(text, EDGE.left - 6, here + 4);
      }
      pen.save();
      pen.translate(12, EDGE.top + area.height / 2);
      pen.rotate(-Math.PI / 2);
      pen.textAlign = "center";
      pen.fillText(y.label, 0, 0);
      pen.restore();
    }

    function spot(pen, { x, y }, radius) {
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.fill();
    }

    // Pictures where there is room, in the order of the points.
    function stamps(pen, colour) {
      const near = whole / view.width;
      tile = clamp(area.width / 13, 26, 46) * Math.min(Math.sqrt(near), 1.8);
      stamped = [];
      const taken = [];
      pen.strokeStyle = colour("frame");
      data.points.forEach((_, i) => {
        const { x, y } = at(i);
        if (!seen({ x, y }) || taken.some((other) => Math.abs(other.x - x) < tile && Math.abs(other.y - y) < tile)) return;
        taken.push({ x, y });
        stamped.push(i);
        picture(pen, i, { x, y });
      });
    }

    function picture(pen, i, { x, y }) {
      const side = tile - 2;
      sheets[data.stamp].draw(pen, i, x - side / 2, y - side / 2, side);
      pen.strokeRect(x - side / 2, y - side / 2, side, side);
    }

    // The stamped point whose picture lies there.
    const over = ({ x, y }) => stamped.find((i) => Math.max(Math.abs(at(i).x - x), Math.abs(at(i).y - y)) <= tile / 2);

    function mark(pen, i, colour) {
      const here = at(i);
      const hidden = over(here) !== undefined; // below a picture, its own or another's
      if (hidden) picture(pen, i, here);
      pen.strokeStyle = colour;
      pen.lineWidth = 3;
      pen.beginPath();
      if (hidden) pen.rect(here.x - tile / 2, here.y - tile / 2, tile, tile);
      else pen.arc(here.x, here.y, 7, 0, 2 * Math.PI);
      pen.stroke();
    }

    function pick(place, reach) {
      const on = over(place);
      if (on !== undefined) return on;
      let best = null;
      data.points.forEach((_, i) => {
        const here = at(i);
        const apart = Math.hypot(here.x - place.x, here.y - place.y);
        if (apart <= reach && seen(here)) [best, reach] = [i, apart];
      });
      return best;
    }

    function update() {
      const main = kept ?? pointed;
      const tell = (card, i, prefix) => card.show(data.names[i], data.facts[i], sheets.map(() => i), prefix);
      tell(cards[0], main, kept === null ? "" : "Kept: ");
      const two = kept !== null && kept !== pointed;
      cards[1].node.hidden = !two;
      hint.hidden = two;
      if (two) tell(cards[1], pointed, "");
      board.draw();
    }

    function point(i) {
      if (i === null || i === pointed) return;
      pointed = i;
      update();
    }

    function keep(i) {
      if (i === null) return;
      kept = kept === i ? null : i;
      pointed = i;
      update();
    }

    // The nearest point in the direction (dx, dy) of the screen, sideways counting double; none at the border.
    function step(dx, dy) {
      const from = at(pointed);
      let best = null;
      let least = Infinity;
      data.points.forEach((_, i) => {
        const here = at(i);
        const along = (here.x - from.x) * dx + (here.y - from.y) * dy;
        const across = Math.abs((here.x - from.x) * dy) + Math.abs((here.y - from.y) * dx);
        const cost = along + 2 * across;
        if (i !== pointed && along > 0 && across <= along && cost < least) [best, least] = [i, cost];
      });
      if (best === null) return;
      if (!seen(at(best))) {
        const [u, v] = data.points[best];
        look(u - view.width / 2, v - view.width / 2, view.width);
      }
      point(best);
    }

    function look(x, y, width) {
      view.width = clamp(width, whole / 32, whole);
      view.x = clamp(x, -MARGIN, 1 + MARGIN - view.width);
      view.y = clamp(y, -MARGIN, 1 + MARGIN - view.width);
      board.canvas.style.touchAction = view.width < whole ? "none" : "pan-y"; // else a finger scrolls the page
      closer.disabled = view.width <= whole / 32;
      farther.disabled = out.disabled = view.width >= whole;
      board.draw();
    }

    function zoom(factor, place = { x: EDGE.left + area.width / 2, y: EDGE.top + area.height / 2 }) {
      const width = clamp(view.width / factor, whole / 32, whole);
      const [a, b] = [(place.x - EDGE.left) / area.width, 1 - (place.y - EDGE.top) / area.height];
      look(view.x + a * (view.width - width), view.y + b * (view.width - width), width);
    }

    const button = (text, name, act) => element("button", { type: "button", "aria-label": name, title: name, click: act }, text);
    const closer = button("+", "Zoom in", () => zoom(1.6, at(pointed)));
    const farther = button("−", "Zoom out", () => zoom(1 / 1.6));
    const out = button("⤢", "Show all", () => look(-MARGIN, -MARGIN, whole));
    look(-MARGIN, -MARGIN, whole);

    const fingers = new Map();
    let moved = 0;
    board.canvas.addEventListener("pointerdown", (event) => {
      if (!fingers.size) moved = 0;
      fingers.set(event.pointerId, board.place(event));
    });
    board.canvas.addEventListener("pointermove", (event) => {
      const [now, before] = [board.place(event), fingers.get(event.pointerId)];
      if (!before) return point(pick(now, 20));
      fingers.set(event.pointerId, now);
      moved += Math.hypot(now.x - before.x, now.y - before.y);
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const apart = (place) => Math.max(1, Math.hypot(place.x - other.x, place.y - other.y));
        zoom(apart(now) / apart(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
      } else if (moved > 5 && view.width < whole) {
        const [dx, dy] = [(now.x - before.x) / area.width, (now.y - before.y) / area.height];
        look(view.x - dx * view.width, view.y + dy * view.width, view.width);
      }
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      board.canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
    }
    board.canvas.addEventListener("click", (event) => {
      if (moved <= 5) keep(pick(board.place(event), 28));
    });
    board.canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 200), board.place(event));
    }, { passive: false });
    const keys = {
      ArrowLeft: () => step(-1, 0),
      ArrowRight: () => step(1, 0),
      ArrowUp: () => step(0, -1),
      ArrowDown: () => step(0, 1),
      Enter: () => keep(pointed),
      " ": () => keep(pointed),
      Escape: () => ((kept = null), update()),
      "+": () => zoom(1.6, at(pointed)),
      "=": () => zoom(1.6, at(pointed)),
      "-": () => zoom(1 / 1.6),
      0: () => look(-MARGIN, -MARGIN, whole),
    };
    board.canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
      event.preventDefault();
      keys[event.key]();
    });

    update();
    const all = data.points.length + data.dots.length;
    const count = `${data.points.length.toLocaleString("en")} of ${all.toLocaleString("en")} ${data.noun}s have pictures.`;
    const tools = element("div", { class: "live-tools" }, data.dots.length ? count : "", closer, farther, out);
    const told = element("div", { class: "live-cards" }, ...cards.map((card) => card.node), hint);
    const node = element("div", { class: "live-part" }, tools, board.canvas, told);
    return { node, draw: update, beside: data.stamp === null };
  }

  // A walk step by step. data: steps, the values of c; ways [{ name, detail, met: [{ name, facts, cells }] }], a step
  // each; strip: the sheet whose pictures stand above the slider.
  function walk(data, sheets) {
    const group = `live-${++ids}`;
    const card = new Card(sheets);
    const last = data.steps.length - 1;
    const start = data.steps.reduce((best, c, i) => (Math.abs(c) < Math.abs(data.steps[best]) ? i : best), 0);
    const slider = element("input", { type: "range", min: 0, max: last, step: 1, value: start, input: update });
    const where = element("output", { class: "live-where" });
    const choices = data.ways.map((way, i) => {
      const input = element("input", { type: "radio", name: group, value: i, checked: i === 0, change: update });
      return element("label", {}, input, element("span", {}, way.name));
    });
    const legend = element("legend", {}, "Walk along");
    const strip = data.steps.map((c, i) => {
      const { cell } = sheets[data.strip];
      const canvas = element("canvas", { width: cell, height: cell });
      const choose = () => ((slider.value = i), update());
      return { canvas, node: element("span", { click: choose }, canvas, written(c, Number.isInteger(c) ? 0 : 1)) };
    });

    function update() {
      const way = data.ways[choices.findIndex((label) => label.firstChild.checked)];
      const index = Number(slider.value);
      const met = way.met[index];
      strip.forEach(({ canvas, node }, i) => {
        const sheet = sheets[data.strip];
        sheet.draw(canvas.getContext("2d"), way.met[i].cells[data.strip], 0, 0, sheet.cell);
        node.classList.toggle("here", i === index);
      });
      const c = `c = ${written(data.steps[index], 1)}`;
      slider.setAttribute("aria-label", `Position along ${way.name}`);
      slider.setAttribute("aria-valuetext", c);
      where.replaceChildren(element("strong", {}, `${way.name}, ${c}`), element("span", {}, way.detail));
      card.show(met.name, met.facts, met.cells, "Nearest: ");
    }

    update();
    const rail = element("div", { class: "live-rail" }, element("div", { class: "live-strip", "aria-hidden": "true" }, ...strip.map(({ node }) => node)), slider);
    rail.style.setProperty("--steps", data.steps.length);
    const head = element("div", { class: "live-head" }, element("fieldset", {}, legend, ...choices), where);
    return { node: element("div", { class: "live-part live-walk" }, head, rail, card.node), draw: update, beside: true };
  }

  // A part takes the place of its figure's picture on the screen, or stands beside it; print shows the picture.
  function enliven(host) {
    const figure = document.getElementById(host.dataset.of);
    const still = figure?.querySelector("img");
    if (!still) return;
    const { data, sheets: listed } = JSON.parse(host.querySelector("script").textContent);
    const sheets = listed.map((sheet) => new Sheet(sheet));
    const part = parts[host.dataset.part](data, sheets, still.alt, host);
    figure.insertBefore(part.node, figure.querySelector("figcaption"));
    if (!part.beside) figure.classList.add("has-live");
    const give = () => {
      part.node.remove();
      figure.classList.remove("has-live");
    };
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        near.disconnect();
        Promise.all(sheets.map((sheet) => sheet.load())).then(part.draw, give);
      },
      { rootMargin: "800px" },
    );
    near.observe(part.node);
    new MutationObserver(part.draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  // What a cell sorts by: its number if it begins with one, else its text; a dash is missing and comes last.
  function sortable(table) {
    const body = table.tBodies[0];
    const printed = [...body.rows];
    const text = (row, column) => row.cells[column].textContent.trim();
    const power = (_, raised) => "e" + [...raised].map((digit) => "-0123456789"["⁻⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(digit)]).join("");
    const plain = (words) => words.replaceAll("−", "-").replace(/(\d),(?=\d{3})/g, "$1").replace(/·10([⁻⁰¹²³⁴-⁹]+)/, power);
    const number = (words) => plain(words).match(/^[<>≤≥≈~]?\s*([-+]?\d*\.?\d+(?:e-?\d+)?)/)?.[1];
    const missing = (words) => /^[–—-]?$/.test(words);

    function sort(column, direction) {
      const cells = printed.map((row) => text(row, column));
      const numeric = cells.every((words) => missing(words) || number(words) !== undefined);
      const compare = (a, b) => {
        const [one, other] = [text(a, column), text(b, column)];
        if (missing(one) || missing(other)) return missing(one) - missing(other);
        return direction * (numeric ? number(one) - number(other) : one.localeCompare(other, "en", { numeric: true }));
      };
      body.append(...(direction ? [...printed].sort(compare) : printed));
    }

    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = element("button", { type: "button", class: "sort", title: "Sort by this column" });
      button.append(...(head.querySelector("p") ?? head).childNodes);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const direction = { ascending: -1, descending: 0 }[head.getAttribute("aria-sort")] ?? 1;
        for (const other of heads) other.removeAttribute("aria-sort");
        if (direction) head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
        sort(column, direction);
      });
    });
  }

  // A long table scrolls within itself, by keys too, and its heads stay.
  function longish(table) {
    const box = table.closest(".pst-scrollable-table-container");
    if (!box || table.tBodies[0].rows.length <= LONG) return;
    box.classList.add("long");
    const name = table.caption?.textContent.trim().split(". ")[0] ?? "Table";
    for (const [key, value] of [["tabindex", 0], ["role", "region"], ["aria-label", name]]) box.setAttribute(key, value);
  }

  // Menus above a table for its columns of class filter-N; rows of other values are hidden. What follows a semicolon
  // belongs to a value and doesn't tell it from others.
  function filterable(table, columns) {
    const rows = [...table.tBodies[0].rows];
    const text = (row, column) => row.cells[column].textContent.split(";")[0].trim();
    const count = element("output", { class: "live-count" });
    const menus = columns.map((column) => {
      const values = [...new Set(rows.map((row) => text(row, column)))].sort();
      const options = values.map((value) => element("option", { value }, value));
      return element("select", { change: update }, element("option", { value: "" }, "all"), ...options);
    });
    function update() {
      for (const row of rows) row.hidden = menus.some((menu, i) => menu.value && menu.value !== text(row, columns[i]));
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    }
    update();
    const heads = table.tHead.rows[0].cells;
    const labels = menus.map((menu, i) => element("label", {}, heads[columns[i]].textContent.trim(), menu));
    const container = table.closest(".pst-scrollable-table-container") ?? table;
    container.before(element("div", { class: "live-filters" }, ...labels, count));
  }

  Object.assign(window.hgnb, { element, clamp, written, Board }); // tools for these scripts
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("div.live").forEach(enliven);
    for (const table of document.querySelectorAll("table[class*=filter-]")) {
      filterable(table, [...table.className.matchAll(/\bfilter-(\d+)\b/g)].map((found) => Number(found[1])));
    }
    document.querySelectorAll("table.sortable").forEach((table) => (sortable(table), longish(table)));
  });
})();
