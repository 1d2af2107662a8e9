// The trained network in the page: the part `network` of hgnb.js, with data from figures.exhibit. Runtime and
// network come from scripts beside the page (hgnb_book.in_page) on a click, and run in a worker; nothing is sent.
// After each answer the part's node gets an event `answer` whose detail holds the heatmaps and what they answer.
(() => {
  "use strict";

  const house = (window.hgnb ??= { parts: {} });
  house.parts.network = network;
  const FINGER = 28; // pixels around a joint in which it is meant

  // What the worker is made of, as text: it uses nothing from around it. A task's answer is posted back.
  function engine() {
    let ort, session;
    const unpacked = async (packed) => {
      const text = atob(packed);
      const zipped = new Uint8Array(text.length);
      for (let i = 0; i < text.length; i++) zipped[i] = text.charCodeAt(i);
      const plain = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
      return new Uint8Array(await new Response(plain).arrayBuffer());
    };
    const address = async (packed) => URL.createObjectURL(new Blob([await unpacked(packed)], { type: "text/javascript" }));
    const tasks = {
      async start({ module, glue, wasm, model, crops }) {
        ort = await import(await address(module));
        Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: await unpacked(wasm), wasmPaths: { mjs: await address(glue) } });
        session = await ort.InferenceSession.create(await unpacked(model), { executionProviders: ["wasm"] });
        return await unpacked(crops);
      },
      async run({ crop, side, skips, keep }) {
        const given = {
          crops: new ort.Tensor("uint8", crop, [1, side, side, 3]),
          skips: new ort.Tensor("float32", Float32Array.from(skips), [skips.length]),
        };
        if (session.inputNames.includes("keep")) given.keep = new ort.Tensor("float32", Float32Array.of(keep), []);
        const begun = performance.now();
        const { heatmaps } = await session.run(given, ["heatmaps"]);
        return { heatmaps: heatmaps.data, size: heatmaps.dims[3], milliseconds: performance.now() - begun };
      },
    };
    onmessage = async ({ data: { task, given } }) => {
      try {
        postMessage({ made: await tasks[task](given) });
      } catch (error) {
        postMessage({ error: String(error?.message ?? error) });
      }
    };
  }

  // Asks the worker for one task after the other.
  class Engine {
    constructor() {
      this.worker = new Worker(URL.createObjectURL(new Blob([`(${engine})()`], { type: "text/javascript" })));
    }
    ask(task, given) {
      return new Promise((done, failed) => {
        this.worker.onmessage = ({ data }) => (data.error ? failed(new Error(data.error)) : done(data.made));
        this.worker.onerror = (event) => failed(new Error(event.message || "its worker can't be started"));
        this.worker.postMessage({ task, given });
      });
    }
  }

  const loaded = (source) =>
    new Promise((done, failed) => {
      const error = () => failed(new Error("its files can't be loaded"));
      document.head.append(house.element("script", { src: source, load: done, error }));
    });

  const able = () => ["WebAssembly", "Worker", "DecompressionStream"].every((name) => name in window);

  // The highest cell of each map, the first on ties: [{ x, y, peak }] in cells.
  function maxima({ heatmaps, size }) {
    return Array.from({ length: heatmaps.length / size ** 2 }, (_, k) => {
      let best = k * size ** 2;
      for (let i = best; i < (k + 1) * size ** 2; i++) if (heatmaps[i] > heatmaps[best]) best = i;
      const cell = best - k * size ** 2;
      return { x: cell % size, y: Math.floor(cell / size), peak: heatmaps[best] };
    });
  }

  // (side, side, 3) bytes as a canvas.
  function canvasOf(bytes, side) {
    const canvas = house.element("canvas", { width: side, height: side });
    const image = new ImageData(side, side);
    for (let i = 0; i < side * side; i++) image.data.set([bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2], 255], 4 * i);
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  // Maps glowing, each scaled to its own peak and the largest at each cell, as figures.poses.over draws them.
  function glow({ heatmaps, size }, points, shown, fire) {
    const image = new ImageData(size, size);
    for (let i = 0; i < size * size; i++) {
      let light = 0;
      for (const k of shown) light = Math.max(light, heatmaps[k * size * size + i] / points[k].peak);
      light = Number.isFinite(light) ? house.clamp(light, 0, 1) : 0;
      const colour = fire[Math.round((0.35 + 0.65 * light) * (fire.length - 1))];
      image.data.set([...colour, 255 * light], 4 * i);
    }
    const canvas = house.element("canvas", { width: size, height: size });
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  // The gate before the network: nothing is loaded until the reader asks for it.
  function network(data, _, alt, host) {
    const { element, written } = house;
    const { runtime, network: source, bytes } = host.dataset;
    const words = element("p", { class: "live-hint", role: "status" });
    const node = element("div", { class: "live-part net" });
    if (!runtime || !able()) {
      words.textContent = "This browser can't run the network (it lacks WebAssembly, or what goes with it): pictures stand here instead.";
      node.append(words);
      return { node, draw() {}, beside: true };
    }
    words.textContent = `Loads ${written(bytes / 1e6, 1)} MB from beside this page. The network then runs on this device, and nothing leaves it.`;
    const button = element("button", { type: "button", class: "net-start", click: start }, "Start the network");
    node.append(element("div", { class: "net-gate" }, button, words));
    let table = null;

    async function start() {
      button.disabled = true;
      words.textContent = "Loading …";
      try {
        await Promise.all([loaded(runtime), loaded(source)]);
        const engine = new Engine();
        const crops = await engine.ask("start", { ...window.hgnbPacked.runtime, ...window.hgnbPacked.network });
        delete window.hgnbPacked;
        table = laid(data, alt, engine, crops, give);
        node.replaceChildren(table.node);
        node.closest("figure").classList.add("has-live");
        table.begin();
      } catch (error) {
        give(error);
      }
    }

    function give(error) {
      node.closest("figure").classList.remove("has-live");
      words.textContent = `The network doesn't run in this browser (${error.message}): pictures stand here instead.`;
      node.replaceChildren(words);
    }

    return { node, draw: () => table?.draw(), beside: true };
  }

  // The table at which the reader sits once the network is there; `give` is told of an error that ends it.
  function laid(data, alt, engine, crops, give) {
    const { element, Board, clamp, written } = house;
    const { side, persons, joints, levels, components } = data;
    const bytes = 3 * side * side;
    const UNTOUCHED = components + 1; // of the slider: the latents stay as they are
    let crop = null;
    let who = null; // a person of the page, or null for the reader's own photograph
    let answer = null;
    let points = [];
    let pointed = null; // a joint
    let glowing = null;
    let picture = null;

    const views = ["pose", "heat"].map((name) => new Board({ class: "net-view", role: "img", "aria-label": alt }, { pose, heat }[name]));
    const titles = ["What it finds", "Its heatmaps, each scaled to its own peak"];
    const frames = views.map((view, i) => element("div", { class: "net-frame" }, view.canvas, element("span", {}, titles[i])));
    const words = element("p", { class: "live-words", "aria-live": "polite" });

    const group = `net-${data.digest.slice(0, 6)}`;
    const choices = persons.map((person, i) => choice(person.name, canvasOf(crops.subarray(i * bytes, (i + 1) * bytes), side), () => choose(i)));
    const cropper = new house.Cropper(side, (made) => {
      crop = made;
      run();
    });
    const mine = choice("Your photograph", element("span", { class: "net-mine", "aria-hidden": "true" }, "yours"), own);
    mine.hidden = true;
    const file = element("input", { type: "file", accept: "image/*", change: () => file.files.length && open(file.files[0]) });
    const upload = element("label", { class: "net-file" }, "Take a photograph of your own", file);
    const people = element("fieldset", { class: "net-people" }, element("legend", {}, "Whose pose"), ...choices, mine, upload);

    const all = element("input", { type: "checkbox", checked: true, change: () => (boxes.forEach((box) => (box.checked = all.checked)), switched()) });
    const boxes = levels.map(() => element("input", { type: "checkbox", checked: true, change: switched }));
    const named = levels.map((size, i) => element("label", {}, boxes[i], `level ${i + 1}, ${size} × ${size}${i ? "" : " (finest)"}`));
    const skips = element("fieldset", { class: "net-skips" }, element("legend", {}, "Skip-connections"), element("label", {}, all, "all"), ...named);

    const kept = element("output", { class: "net-kept" });
    const slider = element("input", { type: "range", min: 0, max: UNTOUCHED, value: UNTOUCHED, "aria-label": "Principal components kept", input: slid });
    const keep = element("div", { class: "net-keep", hidden: !components }, element("span", { "aria-hidden": "true" }, "Components kept"), slider, kept);

    const options = joints.map((joint, k) => element("option", { value: k }, joint.name));
    const menu = element("select", { change: () => point(menu.value === "" ? null : Number(menu.value)) }, element("option", { value: "" }, "all keypoints"), ...options);
    const truth = element("input", { type: "checkbox", change: () => draw() });
    const annotated = element("label", { hidden: true }, truth, "show the annotation");
    const back = element("button", { type: "button", class: "net-back", click: restored }, "As it was trained");
    const tools = element("div", { class: "net-tools" }, element("label", {}, "Heatmap of", menu), annotated, back);

    function choice(name, shown, change) {
      const input = element("input", { type: "radio", name: group, "aria-label": name, change });
      return element("label", { title: name }, input, shown);
    }

    function choose(i) {
      who = i;
      cropper.node.hidden = true;
      crop = crops.slice(i * bytes, (i + 1) * bytes);
      run();
    }

    function own() {
      who = null;
      cropper.node.hidden = false;
      cropper.take();
    }

    async function open(photograph) {
      who = null;
      try {
        cropper.node.hidden = mine.hidden = false;
        mine.querySelector("input").checked = true;
        await cropper.open(photograph);
      } catch {
        cropper.node.hidden = mine.hidden = !cropper.photo;
        tell("This file can't be read as a picture.", "Take a JPEG, PNG or WebP.");
      }
      file.value = ""; // the same file may be taken again
    }

    function switched() {
      const on = boxes.filter((box) => box.checked).length;
      all.checked = on === boxes.length;
      all.indeterminate = on > 0 && on < boxes.length;
      run();
    }

    function slid() {
      label();
      run();
    }

    function label() {
      const k = Number(slider.value);
      const share = `${written(100 * (data.shares[k - 1] ?? 0), 0)} % of the variance`;
      kept.textContent = k === UNTOUCHED ? "untouched" : k ? `the first ${k}: ${share}` : "none: the mean of all persons";
      slider.setAttribute("aria-valuetext", kept.textContent);
    }

    function restored() {
      [all, ...boxes].forEach((box) => ((box.checked = true), (box.indeterminate = false)));
      slider.value = UNTOUCHED;
      menu.value = "";
      pointed = null;
      slid();
    }

    function point(k) {
      pointed = k;
      menu.value = k ?? "";
      show();
    }

    // While the worker computes, only the last of what is asked for waits.
    let busy = false;
    let again = false;
    async function run() {
      again = true;
      if (busy || !crop) return;
      busy = true;
      box.setAttribute("aria-busy", "true");
      try {
        while (again) {
          again = false;
          const asked = { who, crop, side, skips: boxes.map((box) => Number(box.checked)), keep: slider.value < UNTOUCHED ? Number(slider.value) : -1 };
          answer = { ...asked, ...(await engine.ask("run", asked)) };
          points = maxima(answer);
          picture = canvasOf(answer.crop, side);
          show();
          box.parentNode?.dispatchEvent(new CustomEvent("answer", { bubbles: true, detail: answer }));
        }
      } catch (error) {
        give(error);
      }
      busy = false;
      box.removeAttribute("aria-busy");
    }

    const near = ([x, y], { x: a, y: b }) => Math.hypot(x - a, y - b) < data.reach;

    function show() {
      if (!answer) return;
      const shown = pointed === null ? points.map((_, k) => k) : [pointed];
      glowing = glow(answer, points, shown, data.fire);
      const person = persons[answer.who];
      const name = person?.name ?? "Your photograph";
      const told = [];
      if (person) {
        const labelled = person.true.map(([, , v], k) => k).filter((k) => person.true[k][2] > 0);
        told.push(`${labelled.filter((k) => near(person.true[k], points[k])).length} of ${labelled.length} labelled keypoints found`);
      }
      if (pointed !== null) {
        const verdict = !person ? "" : !person.true[pointed][2] ? ", not labelled" : near(person.true[pointed], points[pointed]) ? ", found" : ", missed";
        told.push(`${joints[pointed].name}: peak ${points[pointed].peak.toPrecision(2).replace("-", "−")}${verdict}`);
      }
      tell(`${name}${told.length ? ": " : ""}${told.join("; ")}.`, person?.facts ?? "");
      annotated.hidden = !person;
      views.forEach((view, i) => view.canvas.setAttribute("aria-label", `${titles[i]}: ${told.join("; ") || name}`));
      clock.textContent = `${written(answer.milliseconds, 0)} ms`;
      draw();
    }

    function tell(strong, plain) {
      if (words.textContent !== strong + plain) words.replaceChildren(element("strong", {}, strong), element("span", {}, plain));
    }

    function pose(pen, width) {
      if (!answer) return;
      pen.imageSmoothingEnabled = width > side;
      pen.drawImage(picture, 0, 0, width, width);
      const at = ({ x, y }) => [((x + 0.5) * width) / answer.size, ((y + 0.5) * width) / answer.size];
      const sideOf = (ks) => (ks.every((k) => joints[k].side === joints[ks[0]].side) ? joints[ks[0]].side : "centre");
      for (const bone of data.bones) {
        const line = () => (pen.beginPath(), pen.moveTo(...at(points[bone[0]])), pen.lineTo(...at(points[bone[1]])), pen.stroke());
        const kind = sideOf(bone);
        pen.setLineDash([]);
        Object.assign(pen, { lineCap: "round", lineWidth: 5, strokeStyle: "rgba(255, 255, 255, 0.75)" });
        line();
        pen.setLineDash(kind === "right" ? [6, 4] : []);
        Object.assign(pen, { lineCap: "butt", lineWidth: 2.6, strokeStyle: data.looks[kind] });
        line();
      }
      pen.setLineDash([]);
      points.forEach((joint, k) => dot(pen, at(joint), k === pointed ? 7 : 4, data.looks[joints[k].side], "white"));
      const person = persons[answer.who];
      if (!truth.checked || !person) return;
      for (const [x, y, v] of person.true) if (v) dot(pen, at({ x, y }), 6, "", v === 2 ? "black" : "#666");
    }

    function dot(pen, [x, y], radius, fill, stroke) {
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      if (fill) Object.assign(pen, { fillStyle: fill }).fill();
      if (!fill) (Object.assign(pen, { lineWidth: 4, strokeStyle: "white" }), pen.stroke());
      Object.assign(pen, { lineWidth: 1.6, strokeStyle: stroke });
      pen.stroke();
    }

    function heat(pen, width) {
      if (!answer) return;
      pen.imageSmoothingEnabled = width > side;
      pen.drawImage(picture, 0, 0, width, width);
      pen.fillStyle = "rgba(0, 0, 0, 0.45)";
      pen.fillRect(0, 0, width, width);
      pen.imageSmoothingEnabled = false; // the cells are the network's own
      pen.drawImage(glowing, 0, 0, width, width);
    }

    const draw = () => [...views, cropper.board].forEach((view) => view.draw());

    // The joint that is meant by a place on a picture, or null.
    function meant(view, event) {
      if (!answer) return null;
      const place = view.place(event);
      const scale = view.canvas.clientWidth / answer.size;
      const apart = points.map(({ x, y }) => Math.hypot((x + 0.5) * scale - place.x, (y + 0.5) * scale - place.y));
      const least = Math.min(...apart);
      return least < FINGER ? apart.indexOf(least) : null;
    }
    for (const view of views) {
      view.canvas.addEventListener("click", (event) => {
        const k = meant(view, event);
        point(k === pointed ? null : k);
      });
      view.canvas.addEventListener("pointermove", (event) => {
        const k = meant(view, event);
        view.canvas.title = k === null ? "" : joints[k].name;
        view.canvas.style.cursor = k === null ? "" : "pointer";
      });
    }

    label();
    const clock = element("span", { class: "net-clock", title: "What the network took" });
    const pictures = element("div", { class: "net-frames" }, ...frames);
    const controls = element("div", { class: "net-controls" }, skips, keep, tools);
    const box = element("div", { class: "net-table" }, people, cropper.node, pictures, element("div", { class: "net-said" }, words, clock), controls);
    function begin() {
      if (!persons.length) return tell("Take a photograph of your own.", "The photographs of these data may not be passed on, so the page carries none.");
      const first = choices[0].querySelector("input");
      first.checked = true;
      first.focus({ preventScroll: true });
      choose(0);
    }
    return { node: box, draw, begin };
  }
})();
