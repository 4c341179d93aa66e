// The picture that was brought, and the square of it that the network is shown. What it sees of that square is drawn by
// the server, and arrives as the very text that the link holds.
//
// A source is { width, height, stage: a decoded copy to show, and either token (and the file behind it) or image }.

const MARGIN = 0.09; // of the canvas, on each side: what lies outside the square

function pictureUrl(image) {
  return `data:image/webp;base64,${image.replaceAll("-", "+").replaceAll("_", "/")}`;
}

class Crop {
  constructor(tab) {
    Object.assign(this, { tab, store: tab.store, canvas: tab.find("crop"), seen: tab.find("seen"), source: null, box: [0, 0, 1], asking: 0 });
    this.known = new Map(); // image -> { source, box }, so that undo brings back the picture that it was cut from
    this.pointers = new Map();
    this.ask = newest((wish) => this.request(wish));
    this.zoom = slider(this.store, {
      key: "zoom", name: "zoom", label: "Zoom", low: 0, high: 1, step: 0.005, title: "Double click: back to the middle",
      format: (value) => `${(Math.min(this.source.width, this.source.height) / this.sideOf(value)).toFixed(1)}×`,
      input: (value) => (value === null ? this.centre() : this.scale(this.sideOf(value))), reset: true,
    });
    this.back = make("button", { type: "button", class: "vg-plain", onclick: () => this.centre() }, "Centre");
    tab.find("zoom").append(this.zoom.row, this.back);
    this.store.addEventListener("point", ({ detail: point }) => this.follow(point));
    this.hands();
    new ResizeObserver(() => this.paint()).observe(this.canvas);
  }
  // Another release: what was cut for the old one may have another size.
  forget() {
    this.known.clear();
    this.image = null;
  }
  // --- what is shown
  async use(source, box = null) {
    this.source = source;
    this.move(box ?? this.middle());
  }
  // A picture as a network sees it, from its text.
  async useImage(image) {
    const stage = await decodeStrip(pictureUrl(image));
    this.tab.quiet();
    this.source = { image, stage, width: stage.width, height: stage.height };
    if (stage.width !== this.store.about.side) return this.move(this.middle());
    this.set(this.middle());
    this.settle(image, this.source, this.box);
  }
  // The point shows another picture than ours (undo, a link, another release): so do we.
  async follow({ image }) {
    if (image === this.image || this.asking || this.store.held === this.canvas || this.store.waiting.has("image")) return;
    this.image = image;
    const stage = await decodeStrip(pictureUrl(image));
    if (this.image !== image) return;
    const { source, box } = this.known.get(image) ?? { source: { image, stage, width: stage.width, height: stage.height } };
    this.source = source;
    this.set(box ?? this.middle());
    this.preview(stage);
  }
  async settle(image, source, box) {
    this.image = image;
    this.known.delete(image);
    this.known.set(image, { source, box });
    if (this.known.size > 200) this.known.delete(this.known.keys().next().value);
    this.store.change("image", { kind: "image", image }, this.canvas);
    this.preview(await decodeStrip(pictureUrl(image)));
  }
  preview(stage) {
    if (this.seen.width !== stage.width) Object.assign(this.seen, { width: stage.width, height: stage.height });
    this.seen.getContext("2d").drawImage(stage, 0, 0);
    this.tab.find("size").textContent = `${stage.width}×${stage.height}`;
  }
  async request({ source, box }) {
    if (source !== this.source) return;
    this.asking += 1;
    this.store.tell("hand");
    try {
      const { about } = this.store;
      const what = source.token ? { token: source.token } : { image: source.image };
      let answer = await this.store.ask("see", { release: about.release, ...what, box });
      if (answer.gone) {
        Object.assign(source, await this.tab.sources.bring(source.file));
        answer = await this.store.ask("see", { release: about.release, token: source.token, box });
      }
      if (source === this.source && answer.image) await this.settle(answer.image, source, box);
    } catch (error) {
      this.tab.complain(error.message, this.canvas);
      this.store.settle();
    }
    this.asking -= 1;
  }
  // --- where the square lies: [x, y, side] in pixels of the picture
  middle() {
    const { width, height } = this.source, side = Math.min(width, height);
    return [Math.floor((width - side) / 2), Math.floor((height - side) / 2), side];
  }
  get limits() {
    const { width, height } = this.source, short = Math.min(width, height);
    return [Math.max(1, Math.min(short, Math.max(8, short / 12))), Math.max(width, height)];
  }
  sideOf(value) {
    const [low, high] = this.limits;
    return high * (low / high) ** value;
  }
  set([x, y, side]) {
    const [low, high] = this.limits, { width, height } = this.source;
    side = Math.min(high, Math.max(low, side));
    // inside the picture where it fits; where it does not, around it
    const within = (at, length) => Math.min(Math.max(at, Math.min(0, length - side)), Math.max(0, length - side));
    this.box = [within(x, width), within(y, height), side];
    const range = Math.log(low / high);
    this.zoom.set(range ? Math.log(side / high) / range : 0);
    this.zoom.input.disabled = !range;
    this.paint();
  }
  move(box) {
    this.set(box);
    this.ask({ source: this.source, box: this.box.map(Math.round) });
  }
  centre() {
    this.move(this.middle());
  }
  // Another side; the point at (u, v), in parts of the square, stays where it is.
  scale(side, u = 0.5, v = 0.5) {
    const [x, y, before] = this.box, [low, high] = this.limits;
    side = Math.min(high, Math.max(low, side));
    if (Math.abs(side - before) < 1e-9) return false;
    this.move([x + u * (before - side), y + v * (before - side), side]);
    return true;
  }
  paint() {
    const { canvas, source } = this, wide = canvas.clientWidth;
    if (!source || !wide) return;
    const dense = Math.min(2, devicePixelRatio || 1), size = Math.round(wide * dense);
    if (canvas.width !== size) Object.assign(canvas, { width: size, height: size });
    const context = canvas.getContext("2d"), edge = MARGIN * size, inner = size - 2 * edge;
    const [x, y, side] = this.box, scale = inner / side;
    context.clearRect(0, 0, size, size);
    context.imageSmoothingEnabled = (scale * source.width) / source.stage.width < 3;
    context.drawImage(source.stage, edge - x * scale, edge - y * scale, source.width * scale, source.height * scale);
    const style = getComputedStyle(canvas);
    context.fillStyle = style.getPropertyValue("--veil");
    context.fillRect(0, 0, size, edge);
    context.fillRect(0, size - edge, size, edge);
    context.fillRect(0, edge, edge, inner);
    context.fillRect(size - edge, edge, edge, inner);
    context.strokeStyle = style.getPropertyValue("--accent");
    context.lineWidth = 2 * dense;
    context.strokeRect(edge, edge, inner, inner);
    canvas.dataset.box = this.box.map(Math.round).join(",");
  }
  // --- hands: one pointer drags, two pinch, the wheel zooms, keys do both
  place(event) {
    const area = this.canvas.getBoundingClientRect(), inner = area.width * (1 - 2 * MARGIN);
    return [(event.clientX - area.left - MARGIN * area.width) / inner, (event.clientY - area.top - MARGIN * area.height) / inner];
  }
  hands() {
    const { canvas, pointers, store } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.source || event.button > 0) return;
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, this.place(event));
      store.held = canvas;
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = this.place(event), [x, y, side] = this.box;
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      pointers.set(event.pointerId, now);
      if (!other) return this.move([x - (now[0] - before[0]) * side, y - (now[1] - before[1]) * side, side]);
      const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1e-6;
      this.scale((side * apart(before)) / apart(now), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    });
    const up = (event) => {
      if (!pointers.delete(event.pointerId) || pointers.size) return;
      store.held = false;
      store.settle();
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("wheel", (event) => {
      if (!this.source) return;
      const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
      // at the end of the zoom the page scrolls on
      if (this.scale(this.box[2] * Math.exp(Math.max(-120, Math.min(120, pixels)) * 0.0022), ...this.place(event))) event.preventDefault();
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      if (!this.source || event.ctrlKey || event.metaKey || event.altKey) return;
      const [x, y, side] = this.box, step = Math.max(1, side * (event.shiftKey ? 0.1 : 0.02));
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (moves) this.move([x - moves[0] * step, y - moves[1] * step, side]);
      else if (event.key === "+" || event.key === "=") this.scale(side / 1.1);
      else if (event.key === "-" || event.key === "_") this.scale(side * 1.1);
      else if (event.key === "0") this.centre();
      else return;
      event.preventDefault();
    });
  }
}
