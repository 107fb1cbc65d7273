// The connection to the servers: their state as it changes, and questions with answers.

const AGAIN_MS = [500, 1000, 2000, 5000];

export class Live {
  constructor(onState, onConnection) {
    this.state = {};
    this.onState = onState;
    this.onConnection = onConnection;
    this.waiting = new Map();
    this.number = 0;
    this.failed = 0;
    this.open();
  }

  open() {
    const url = new URL("live", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(url);
    this.socket.onopen = () => {
      this.failed = 0;
      this.onConnection(true);
    };
    this.socket.onmessage = (event) => this.take(JSON.parse(event.data));
    this.socket.onclose = () => this.lost();
  }

  lost() {
    this.onConnection(false);
    for (const { reject } of this.waiting.values()) reject(new Error("The connection was lost."));
    this.waiting.clear();
    const wait = AGAIN_MS[Math.min(this.failed++, AGAIN_MS.length - 1)];
    setTimeout(() => this.open(), wait);
  }

  take(message) {
    if (message.state) {
      Object.assign(this.state, message.state);
      this.onState(this.state, message.state);
      return;
    }
    const waiting = this.waiting.get(message.answer);
    this.waiting.delete(message.answer);
    if (message.error) (waiting ?? this).reject?.(new Error(message.error));
    else waiting?.resolve(message);
  }

  /** Ask for something; the promise fails with words for the person. */
  ask(what, fields = {}) {
    return new Promise((resolve, reject) => {
      if (this.socket.readyState !== WebSocket.OPEN) {
        reject(new Error("There is no connection."));
        return;
      }
      const id = ++this.number;
      this.waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, do: what, ...fields }));
    });
  }

  /** Begin to try audio; what goes wrong while it is sent is told to onTrouble. */
  begin(what, onTrouble) {
    this.reject = onTrouble;
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ id: 0, do: "try", what }));
    }
  }

  /** Audio: Int16Array, 16 kHz, mono. */
  send(samples) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(samples);
  }
}
