// A photograph of one's own, for the network in the page (network.js): it is read here and goes nowhere.
(() => {
  "use strict";

  const house = (window.hgnb ??= { parts: {} });
  const LONGEST = 1280; // pixels of a photograph; larger ones are drawn smaller
  const LEAST = 10; // per cent of the shorter side: the smallest square

  // A photograph of one's own with the square that the network sees. `changed` is called with its bytes.
  house.Cropper = class Cropper {
    constructor(side, changed) {
      const { element } = house;
      Object.assign(this, { side, changed });
      const words = "Your photograph: the arrow keys move the square, + and − make it larger and smaller";
      this.board = new house.Board(
        { class: "net-photo", tabindex: 0, role: "application", "aria-label": words },
        (pen, width, height) => this.paint(pen, width, height),
      );
      this.slider = element("input", { type: "range", min: LEAST, max: 100, input: () => this.resize(this.slider.value / 100) });
      const label = element("label", { class: "net-slide" }, "Size of the square", this.slider);
      const hint = element("p", { class: "live-hint" }, "Drag the square over one person, head to feet with a little room around, as in training.");
      this.node = element("div", { class: "net-own", hidden: true }, this.board.canvas, label, hint);
      this.listen();
    }

    async open(file) {
      const image = await createImageBitmap(file, { imageOrientation: "from-image" });
      const scale = Math.min(1, LONGEST / Math.max(image.width, image.height));
      const [width, height] = [image.width, image.height].map((length) => Math.max(1, Math.round(length * scale)));
      this.photo = house.element("canvas", { width, height });
      const pen = this.photo.getContext("2d");
      pen.fillStyle = "white"; // behind what is transparent
      pen.fillRect(0, 0, width, height);
      pen.drawImage(image, 0, 0, width, height);
      const share = Math.min(100, (100 * width) / height); // an upright photograph is no longer than a wide one is wide
      Object.assign(this.board.canvas.style, { aspectRatio: `${width} / ${height}`, width: `${share}%` });
      const length = Math.min(width, height);
      this.square = { x: (width - length) / 2, y: (height - length) / 2, length };
      this.slider.value = 100;
      this.take();
    }

    move(dx, dy) {
      const { x, y, length } = this.square;
      const within = (at, whole) => house.clamp(at, 0, whole - length);
      this.square = { x: within(x + dx, this.photo.width), y: within(y + dy, this.photo.height), length };
      this.take();
    }

    resize(share) {
      const { x, y, length } = this.square;
      const now = house.clamp(share, LEAST / 100, 1) * Math.min(this.photo.width, this.photo.height);
      this.square = { x, y, length: now };
      this.slider.value = Math.round(100 * house.clamp(share, LEAST / 100, 1));
      this.move((length - now) / 2, (length - now) / 2);
    }

    take() {
      const canvas = house.element("canvas", { width: this.side, height: this.side });
      const pen = canvas.getContext("2d", { willReadFrequently: true });
      pen.imageSmoothingQuality = "high";
      const { x, y, length } = this.square;
      pen.drawImage(this.photo, x, y, length, length, 0, 0, this.side, this.side);
      const { data } = pen.getImageData(0, 0, this.side, this.side);
      this.board.draw();
      this.changed(Uint8Array.from(data.filter((_, i) => i % 4 < 3)));
    }

    paint(pen, width) {
      if (!this.photo) return;
      const scale = width / this.photo.width;
      const [x, y, length] = [this.square.x, this.square.y, this.square.length].map((value) => value * scale);
      pen.drawImage(this.photo, 0, 0, width, this.photo.height * scale);
      pen.fillStyle = "rgba(0, 0, 0, 0.55)";
      pen.beginPath();
      pen.rect(0, 0, width, this.photo.height * scale);
      pen.rect(x, y, length, length);
      pen.fill("evenodd");
      pen.strokeStyle = "white";
      pen.lineWidth = 2;
      pen.strokeRect(x, y, length, length);
    }

    listen() {
      const { canvas } = this.board;
      let last = null;
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        last = this.board.place(event);
      });
      canvas.addEventListener("pointermove", (event) => {
        if (!last) return;
        const now = this.board.place(event);
        const scale = this.photo.width / canvas.clientWidth;
        this.move((now.x - last.x) * scale, (now.y - last.y) * scale);
        last = now;
      });
      for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (last = null));
      const shift = (dx, dy) => () => this.move((dx * this.square.length) / 20, (dy * this.square.length) / 20);
      const grow = (by) => () => this.resize((Number(this.slider.value) + by) / 100);
      const keys = { ArrowLeft: shift(-1, 0), ArrowRight: shift(1, 0), ArrowUp: shift(0, -1), ArrowDown: shift(0, 1) };
      Object.assign(keys, { "+": grow(5), "=": grow(5), "-": grow(-5) });
      canvas.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
        event.preventDefault();
        keys[event.key]();
      });
    }
  };
})();
