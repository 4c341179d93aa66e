// The current point, what is being asked about it, and where it has been.
//
// The point is the text of a link. A change is sent together with the last point that the server confirmed; while one
// request is under way further changes wait, newer values of the same control replacing older ones. So the newest
// hand movement wins, a slow machine skips what lies between, and nothing is ever queued up.
//
// Tabs that show the same point have one store: what is found in one of them is what the others show.

class Store extends EventTarget {
  constructor() {
    super();
    this.server = {}; // name -> handler, of all the tabs
    this.known = null; // the releases to choose from, by name
    this.opening = null; // the answer to the first request, once for all tabs
    this.thumbs = new Map(); // place -> small picture
    this.last = {}; // what was told last, for a tab that comes later
    this.about = null; // release, labels, and what else the controls are built from
    this.point = null; // the last point that the server confirmed
    this.waiting = new Map(); // control -> change
    this.busy = false;
    this.held = false; // a pointer is down on a slider
    this.past = [];
    this.future = [];
  }
  tell(name, detail) {
    this.last[name] = detail;
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
  async ask(name, request) {
    for (let tries = 0; ; tries++) {
      let answer;
      try {
        answer = await this.server[name](request);
      } catch {
        answer = null;
      }
      if (answer && answer.error) throw new Error(answer.error);
      if (answer && !answer.busy) return answer;
      if (tries === 8) throw new Error("The server does not answer; what you see is still there, please try again.");
      await new Promise((resolve) => setTimeout(resolve, 150 * (tries + 1)));
    }
  }
  // The first point; the answer of `open`
  async open(query) {
    const answer = await this.ask("open", { query });
    if (answer.elsewhere) return answer;
    this.known = new Map(answer.releases.map((one) => [one.name, one]));
    if (!answer.point) return answer;
    await this.accept(answer, 0);
    this.past = [this.point.query];
    this.tell("settled", this.point);
    return answer;
  }
  // key: the control that makes the change; from: the element beside which an error belongs
  change(key, what, from = null) {
    this.waiting.delete(key);
    this.waiting.set(key, { what, from });
    clearTimeout(this.settling);
    this.tell("hand");
    this.pump();
  }
  async pump() {
    if (this.busy || !this.point || !this.waiting.size) return;
    this.busy = true;
    const sent = [...this.waiting.values()];
    this.waiting.clear();
    const from = sent.map((one) => one.from).find(Boolean) || null;
    const start = performance.now();
    try {
      const answer = await this.ask("draw", { query: this.point.query, changes: sent.map((one) => one.what) });
      await this.accept(answer, performance.now() - start);
      this.tell("fine", { from });
    } catch (error) {
      this.tell("trouble", { message: error.message, from });
      this.tell("point", this.point); // controls go back to what holds
    }
    this.busy = false;
    this.waiting.size ? this.pump() : this.settle();
  }
  async accept(answer, took) {
    const strip = await decodeStrip(answer.strip);
    if (answer.release) {
      this.about = answer;
      this.tell("about", answer);
    }
    this.point = answer.point;
    this.tell("clip", { strip, frames: answer.frames, rate: answer.rate, size: answer.size, ms: answer.ms, took, url: answer.strip });
    this.tell("point", this.point);
  }
  // Once the hand rests, where it has come to is a place to go back to.
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.keep(), 250);
  }
  keep() {
    if (this.held || this.busy || this.waiting.size) return;
    const here = this.past.at(-1);
    if (!here || here !== this.point.query) {
      this.past.push(this.point.query);
      if (this.past.length > 60) this.past.shift();
      this.future = [];
    }
    this.tell("settled", this.point);
  }
  // Until the hand is off the controls, for what can wait
  async rest() {
    while (this.busy || this.held) await new Promise((resolve) => setTimeout(resolve, 30));
  }
  async idle() {
    while (this.busy || this.waiting.size) await new Promise((resolve) => setTimeout(resolve, 15));
  }
  // Another point altogether: its text, or a handler that gives one
  async go(query, name = "draw", request = { query }) {
    await this.idle();
    this.busy = true;
    this.tell("hand");
    const start = performance.now();
    try {
      await this.accept(await this.ask(name, request), performance.now() - start);
      this.tell("fine", { from: null });
      return true;
    } catch (error) {
      this.tell("trouble", { message: error.message, from: null });
      if (this.point) this.tell("settled", this.point);
      return false;
    } finally {
      this.busy = false;
      if (this.waiting.size) this.pump();
    }
  }
  async visit(query) {
    if (await this.go(query)) this.keep();
  }
  async undo(back = true) {
    await this.idle();
    if (!this.point) return;
    if (this.point.query !== this.past.at(-1)) this.keep();
    const [source, target] = back ? [this.past, this.future] : [this.future, this.past];
    if (source.length < (back ? 2 : 1)) return;
    const query = back ? source.at(-2) : source.at(-1);
    const other = new URLSearchParams(query).get("release") !== this.about.release;
    if (!(await this.go(query, other ? "open" : "draw"))) return;
    target.push(source.pop());
    this.tell("settled", this.point);
  }
}
