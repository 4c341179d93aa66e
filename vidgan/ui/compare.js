// The tab Compare: releases of one data set beside each other. `element`, `server` and `trigger` are given by the
// component that holds it; its event "select" hands SHARED.figure to the plot below.

const many = (count) => (count < 1e6 ? `${Math.round(count / 1e3)} k` : `${(count / 1e6).toFixed(1)} M`);

class Compare extends Tab {
  constructor(element, server, trigger) {
    super(element, server, "compare", "vc", new Store());
    this.now = null; // the server's answer to what is chosen
    this.columns = [];
    this.filled = null; // until all columns are there
    this.facts = "Compare";
    this.clock.painters.add((tick) => this.paint(tick));
    this.playing();
    this.blind = new Blind(this);
    this.curves = new Curves(this, (figure) => {
      SHARED.figure = figure;
      trigger("select");
    });
    this.seed = this.find("seed");
    this.seed.addEventListener("change", () => this.choose({ seed: this.seed.value }, this.seed));
    this.find("again").addEventListener("click", () => this.redraw());
    this.saver("save", "all clips", ["mp4", "webp", "gif"], (format) => this.store.ask("sheet", { ...this.chosen(), format }));
    this.keys((key, event) => {
      if (key === "r") this.redraw();
      else if (/^[1-9]$/.test(key)) this.find("labels").children[key - 1]?.click();
      else return this.blind.key(key, event);
      return true;
    });
    this.watch();
  }
  chosen() {
    const { releases, seed, label } = this.now;
    return { releases, seed, label };
  }
  async begin(query) {
    const asked = new URLSearchParams(this.former?.store.point?.query ?? query), named = asked.get("compare");
    await this.choose({ releases: named ? named.split(",") : null, seed: asked.get("seed"), label: asked.get("label") });
  }
  arrive() {}
  redraw() {
    if (this.now) this.choose({ seed: randomSeed() }, this.find("again"));
  }
  // Other releases, another seed or label; what cannot be is told beside the hand, and all stays as it was.
  async choose(what, from = null) {
    const turn = (this.turn = {}), before = this.now;
    this.root.setAttribute("aria-busy", "true");
    try {
      const answer = await this.store.ask("begin", { ...(before && this.chosen()), ...what });
      if (turn !== this.turn) return;
      if (answer.complaint) this.complain(before ? answer.complaint : `${answer.complaint} Here are others instead.`, from);
      else this.quiet();
      if (!before || !answer.complaint) this.now = answer;
      this.seed.value = this.now.seed;
      this.build(String(before?.releases) !== String(this.now.releases));
      if (this.now !== before) this.filled = this.fill();
      await this.filled;
    } catch (error) {
      if (turn === this.turn) this.complain(error.message, from);
    } finally {
      if (turn === this.turn) this.root.removeAttribute("aria-busy");
    }
  }
  build(others) {
    const { families, data, releases, labels, label, seed, table, claims, curves } = this.now;
    const family = families.find((one) => one.data === data);
    this.root.classList.add("vc-there");
    this.facts = `${releases.length} releases trained on ${family.title}`;
    this.store.point = { query: `tab=compare&compare=${releases.join(",")}&seed=${seed}${label ? `&label=${encodeURIComponent(label)}` : ""}` };
    SHARED.masthead.show(this);
    this.address();
    const chip = (words, on, click, title = null) => make("button", { type: "button", class: "vg-chip", "aria-pressed": String(on), title, onclick: click }, words);
    this.fillChips("labels", labels.map((name, i) => chip(inWords(name), name === label, () => this.choose({ label: name }, this.find("labels")), i < 9 ? `${i + 1}` : null)));
    if (!others) return;
    this.fillChips("data", families.map((one) => chip(one.title, one === family, () =>
      one === family || this.choose({ releases: one.releases.slice(0, 2).map(({ name }) => name), label: null }))));
    this.find("families").hidden = families.length < 2;
    this.fillChips("releases", family.releases.map(({ name, title }) => chip(name, releases.includes(name), () => this.pick(name), title)));
    this.find("table").replaceChildren(measuredTable(table, releases));
    this.find("claims").hidden = !claims.length;
    this.find("claim-list").replaceChildren(...claimTables(claims));
    this.columns = releases.map((name) => this.column(family.releases.find((one) => one.name === name)));
    this.find("columns").replaceChildren(...this.columns.map(({ element }) => element));
    this.blind.build(this.now);
    this.curves.build(releases, curves);
  }
  // Chips stay those that they are where only one of them is pressed instead of another: the focus stays with them.
  fillChips(name, chips) {
    const group = this.find(name), same = group.children.length === chips.length && chips.every((chip, i) => chip.textContent === group.children[i].textContent);
    if (!same) return group.replaceChildren(...chips);
    chips.forEach((chip, i) => {
      const mine = document.activeElement === group.children[i];
      group.children[i].replaceWith(chip);
      if (mine) chip.focus();
    });
  }
  pick(name) {
    const { families, data, releases, label } = this.now, all = families.find((one) => one.data === data).releases;
    const wanted = all.filter((one) => releases.includes(one.name) !== (one.name === name));
    const known = wanted.every(({ labels }) => !labels.length || labels.includes(label));
    this.choose({ releases: wanted.map((one) => one.name), label: known ? label : null }, this.find("releases"));
  }
  column(facts) {
    const canvas = make("canvas", { width: 64, height: 64, role: "img", "aria-label": `A clip of ${facts.name}` });
    const title = make("a", {}, facts.name), told = make("small", {}, facts.system);
    const caption = make("figcaption", {}, make("strong", {}, title), told);
    return { facts, canvas, title, told, caption, element: make("figure", {}, caption, canvas), strip: null };
  }
  // One column after the other; what was there stays until the new clip is.
  async fill() {
    const turn = (this.filling = {}), asked = this.chosen();
    for (const column of this.columns) column.element.setAttribute("aria-busy", "true");
    for (const [index, column] of this.columns.entries()) {
      try {
        const answer = await this.store.ask("column", { ...asked, index });
        const strip = await decodeStrip(answer.strip);
        if (turn !== this.filling) return;
        this.put(column, { ...answer, strip });
      } catch (error) {
        if (turn !== this.filling) return;
        column.told.textContent = error.message;
      }
      column.element.removeAttribute("aria-busy");
    }
  }
  put(column, answer) {
    const { facts, canvas, title, told, caption } = column, { strip, parameters, picture, takes_label } = answer;
    Object.assign(column, { strip, answer });
    this.clock.fps = Math.max(...this.columns.map((one) => one.answer?.rate ?? 0));
    Object.assign(canvas, { width: strip.height, height: strip.height });
    title.href = linkTo(answer.query);
    title.title = facts.animates ? "Open it in Image to video" : "Open it in Explore";
    const words = [facts.system, `${many(parameters)} parameters`, `${answer.frames} frames`];
    if (facts.animates) words.push("animates this picture");
    if (!takes_label && this.now.labels.length) words.push("takes no label");
    told.textContent = words.join(" · ");
    caption.querySelector("img")?.remove();
    if (picture) caption.append(make("img", { src: picture, alt: "The picture that it begins with" }));
    this.paint(this.clock.tick);
  }
  paint(tick) {
    for (const { canvas, strip, answer } of this.columns) {
      if (!strip) continue;
      const side = strip.height, frame = Math.floor((tick * answer.rate) / this.clock.fps) % answer.frames;
      canvas.getContext("2d").drawImage(strip, frame * side, 0, side, side, 0, 0, side, side);
      canvas.dataset.frame = frame;
    }
  }
  // The lines of all columns, each with a file of its own
  lines(what) {
    const mine = ({ answer, facts }) => answer?.[what].replace(/\bclip\.mp4/, `${facts.name}.mp4`);
    return this.columns.map(mine).filter(Boolean).join(what === "cli" ? "\n" : "\n\n");
  }
}

new Compare(element, server, trigger);
