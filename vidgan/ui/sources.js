// Where pictures come from: a file by button, paste or drop; the camera; the examples; the frame that Explore shows.

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1 || reader.result.length));
    reader.onerror = () => reject(new Error("The file could not be read; is it still there?"));
    reader.readAsDataURL(file);
  });
}

class Sources {
  constructor(tab) {
    Object.assign(this, { tab, store: tab.store, panel: tab.find("picture"), turn: null });
    this.camera = new Camera(tab, (file) => this.file(file));
    const input = tab.find("file");
    tab.find("upload").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.file(input.files[0]);
      input.value = ""; // the same file again is a change, too
    });
    tab.find("frame").addEventListener("click", () => this.frame());
    document.addEventListener("paste", (event) => {
      if (!tab.root.offsetParent || event.target.closest?.("input, textarea")) return;
      const file = event.clipboardData?.files[0];
      if (!file) return;
      event.preventDefault();
      this.file(file);
    });
    this.dropping();
  }
  dropping() {
    const { root } = this.tab, veil = this.tab.find("drop");
    const holds = (event) => root.offsetParent && [...(event.dataTransfer?.types ?? [])].some((type) => type === "Files" || type === "text/uri-list");
    let leaving = null;
    document.addEventListener("dragover", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      clearTimeout(leaving);
      veil.hidden = false;
    });
    const over = () => (veil.hidden = true);
    document.addEventListener("dragleave", () => (leaving = setTimeout(over, 120)));
    document.addEventListener("drop", (event) => {
      over();
      if (!holds(event)) return;
      event.preventDefault();
      const file = event.dataTransfer.files[0];
      if (file) this.file(file);
      else this.tab.complain("That is the address of a picture; save it as a file first, and drop that.", this.panel);
    });
  }
  // One thing at a time: whoever comes later wins.
  async attempt(work) {
    const turn = (this.turn = {});
    this.panel.setAttribute("aria-busy", "true");
    try {
      const use = await work();
      if (turn === this.turn) {
        this.tab.quiet();
        await use();
      }
    } catch (error) {
      if (turn === this.turn) this.tab.complain(error.message, this.panel);
    }
    if (turn === this.turn) this.panel.removeAttribute("aria-busy");
  }
  file(file) {
    if (!file) return;
    this.camera.stop();
    return this.attempt(async () => {
      const { max_bytes: most } = this.store.about;
      if (file.size > most) throw new Error(`The picture is larger than ${Math.round(most / 2 ** 20)} MB; a smaller copy of it will do.`);
      const source = await this.bring(file);
      return () => this.tab.crop.use(source);
    });
  }
  // A file as the server read it; also when the server has forgotten it.
  async bring(file) {
    const { token, width, height, stage } = await this.store.ask("read", { data: await base64(file) });
    return { token, width, height, stage: await decodeStrip(stage), file };
  }
  image(image) {
    this.camera.stop();
    return this.attempt(async () => () => this.tab.crop.useImage(image));
  }
  frame() {
    return this.attempt(async () => {
      const other = SHARED.tabs.explore;
      if (!other?.store.point) throw new Error("Explore shows no clip yet; open that tab once, and come back.");
      const { image } = await this.store.ask("frame", { query: other.store.point.query, frame: other.player.frame });
      this.camera.stop();
      return () => this.tab.crop.useImage(image);
    });
  }
  examples(images) {
    this.tab.find("examples").replaceChildren(...images.map((image, i) => make("button", {
      type: "button", class: "vg-thumb", "aria-label": `Example ${i + 1}`, title: `Example ${i + 1}`,
      onclick: () => {
        this.tab.designer.person(i);
        this.image(image);
      },
    }, make("img", { src: pictureUrl(image), alt: "", width: 40, height: 40, draggable: "false" }))));
  }
  mark(image) {
    const { about } = this.store;
    [...this.tab.find("examples").children].forEach((button, i) =>
      button.toggleAttribute("aria-current", about.examples[i] === image));
  }
}

// The camera: on only after the button, off after the picture, and whenever the tab is left.
class Camera {
  constructor(tab, taken) {
    Object.assign(this, { tab, taken, stream: null, video: tab.find("video"), bar: tab.find("camera") });
    tab.find("webcam").addEventListener("click", () => this.start());
    tab.find("shoot").addEventListener("click", () => this.shoot());
    tab.find("cancel").addEventListener("click", () => this.stop());
    new ResizeObserver(() => this.tab.root.offsetParent || this.stop()).observe(tab.root);
    document.addEventListener("visibilitychange", () => document.hidden && this.stop());
  }
  async start() {
    if (this.stream) return;
    const wish = (this.wish = {});
    let stream;
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    } catch (error) {
      const reasons = {
        NotFoundError: "There is no camera here",
        OverconstrainedError: "There is no camera here",
        NotReadableError: "Something else is using the camera",
        SecurityError: "A browser gives its camera only to pages that come over https",
      };
      const why = reasons[error.name] || "The camera stays off, since it was not allowed";
      return this.tab.complain(`${why}; a file, an example or a drawn face will do as well.`, this.bar);
    }
    if (wish !== this.wish || !this.tab.root.offsetParent) return stream.getTracks().forEach((track) => track.stop());
    this.tab.quiet();
    this.stream = stream;
    this.video.srcObject = stream;
    this.video.hidden = this.bar.hidden = false;
    await this.video.play().catch(() => {});
    this.tab.find("shoot").focus();
  }
  shoot() {
    const { video } = this, canvas = make("canvas", { width: video.videoWidth, height: video.videoHeight });
    if (!video.videoWidth) return;
    canvas.getContext("2d").drawImage(video, 0, 0);
    this.stop();
    canvas.toBlob((blob) => this.taken(blob), "image/png");
  }
  stop() {
    this.wish = null;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = this.video.srcObject = null;
    this.video.hidden = this.bar.hidden = true;
  }
}
