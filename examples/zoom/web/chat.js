import { h, setText } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./text.js";

/** The most messages kept on the page. */
const MOST = 500;
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** The text chat: a panel beside the grid, and the button that opens it and counts what was not seen. */
export class Chat {
  #call;
  #unread = 0;
  #off;

  constructor(call) {
    this.#call = call;
    this.count = h("span", { class: "unread", hidden: true });
    this.button = h("button", { type: "button", class: "control", "aria-expanded": "false", "aria-controls": "chat", onclick: () => this.toggle() },
      icon("chat"), h("span", { class: "control-text" }, t("chat.title")), this.count);
    this.empty = h("p", { class: "hint" }, t("chat.empty"));
    this.list = h("ol", { class: "chat-list", role: "list" });
    this.log = h("div", { class: "chat-log", role: "log", "aria-label": t("chat.title"), tabIndex: 0 }, this.list);
    this.input = h("input", { id: "chat-text", type: "text", maxLength: 4000, autocomplete: "off", dir: "auto", placeholder: t("chat.message") });
    this.problem = h("p", { class: "field-error", role: "alert" });
    this.element = h("aside", { id: "chat", class: "chat", hidden: true, "aria-label": t("chat.title"), onkeydown: (event) => event.key === "Escape" && this.toggle(false) },
      h("header", { class: "chat-head" }, h("h2", {}, t("chat.title")),
        h("button", { type: "button", class: "quiet", "aria-label": t("control.close"), onclick: () => this.toggle(false) }, icon("close"))),
      this.empty, this.log, this.problem,
      h("form", { class: "chat-form", onsubmit: (event) => this.#send(event) },
        h("label", { for: "chat-text", class: "unseen" }, t("chat.message")), this.input,
        h("button", { type: "submit", class: "primary", "aria-label": t("chat.send") }, icon("send"))));
    this.#off = call.on("chat", (message) => this.#add(message));
  }

  toggle(open = this.element.hidden) {
    this.element.hidden = !open;
    this.button.setAttribute("aria-expanded", open);
    if (open) {
      this.#count(0);
      this.log.scrollTop = this.log.scrollHeight;
      this.input.focus();
    } else {
      this.button.focus();
    }
  }

  close() {
    this.#off();
  }

  #send(event) {
    event.preventDefault();
    if (this.input.value.trim() === "") return;
    const sent = this.#call.sendChat(this.input.value);
    if (sent) this.input.value = "";
    setText(this.problem, sent ? "" : t("chat.failed"));
  }

  #add({ name, text, own, at }) {
    const bottom = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
    this.empty.hidden = true;
    this.list.append(h("li", { class: own ? "message message-own" : "message" },
      h("p", { class: "message-head" }, h("bdi", { class: "message-name", dir: "auto" }, name),
        h("time", { dateTime: at.toISOString() }, CLOCK.format(at))),
      h("p", { class: "message-text", dir: "auto" }, text)));
    while (this.list.children.length > MOST) this.list.firstElementChild.remove();
    if (bottom || own) this.log.scrollTop = this.log.scrollHeight;
    if (this.element.hidden) this.#count(this.#unread + 1);
  }

  #count(unread) {
    this.#unread = unread;
    this.count.hidden = unread === 0;
    setText(this.count, unread > 99 ? "99+" : String(unread));
    if (unread === 0) this.button.removeAttribute("aria-label");
    else this.button.setAttribute("aria-label", `${t("chat.title")}, ${t("chat.unread", { count: unread })}`);
  }
}
