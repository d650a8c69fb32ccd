// @ts-check
/* Keeps the page fresh and forms quick. Everything here also works without it: the server renders it all.
   An event names a stale region, its fragment is fetched and morphed in; what a person is typing is never touched. */
import { Idiomorph } from "./idiomorph.js";

const root = document.documentElement, body = document.body;
const $ = (/** @type {string} */ query, /** @type {ParentNode} */ from = document) =>
  /** @type {HTMLElement | null} */ (from.querySelector(query));
const byId = (/** @type {string} */ id) => document.getElementById(id);
const dialog = /** @type {HTMLDialogElement | null} */ (byId("dialog"));
/** What serves this page. */
const HOST = document.documentElement.dataset.host || "box";
const LOST = `No connection to the ${HOST}. Your entries are kept on this phone.` + (HOST === "box"
  ? " Is the phone on the site's Wi-Fi? Turn mobile data off if it keeps leaving." : "");
root.classList.add("js");

// ---- news: one polite line, at most one message in 5 s ----

/** @type {Map<string, string>} */
const news = new Map();
let spokenAt = 0, speaking = 0, silencing = 0;
function speak() {
  speaking = 0;
  spokenAt = Date.now();
  const own = [...news], said = [...news.values()], moved = [...news.keys()].some((about) => about.startsWith("cp-"));
  news.clear();
  const count = moved ? ` ${$(".count b")?.textContent}.` : "";
  const text = (said.length > 2 ? `${said.length} changes.` : said.join(" ")) + count;
  const here = $(".panel", dialog ?? document)?.id.replace(/^\w+/, "cp"), open = dialog?.open ? $("[role=status]", dialog) : null;
  if (open) open.textContent = own.filter(([about]) => !about.startsWith("cp-") || about === here).map(([, one]) => one).join(" ");
  const line = byId("status");
  if (line) line.textContent = text;
  clearTimeout(silencing);
  silencing = setTimeout(() => { for (const each of [line, open]) if (each) each.textContent = ""; }, 20000);
}
/** @param {string} text @param {string} [about] @param {boolean} [answer] to what this person just did: said at once */
function say(text, about = text, answer = false) {
  if (!text) return;
  if (answer) news.clear(); // the rows show the rest
  news.delete(about);
  news.set(about, text);
  if (answer) clearTimeout(speaking), (speaking = 0);
  speaking ||= setTimeout(speak, answer ? 50 : Math.max(400, spokenAt + 5000 - Date.now()));
}

// ---- fields: what is typed stays ----

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field */
/** Fields of the form whose answer is being taken over, with the text that was sent. @type {Map<Element, string>} */
const sent = new Map();
/** The row that answer is about: what is wrong in other rows stays until they are answered. @type {Element | null} */
let answered = null;
/** A page of its own, with its own regions and news, says so. */
const home = body.dataset.home ?? (body.dataset.events ? location.href : "/j");
const draft = (/** @type {Element} */ field) => `draft ${body.dataset.job} ${field.id}`;
/** @param {any} field */
function changed(field) {
  if (field.type === "hidden" || field.type === "submit" || field.type === "button") return false;
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") return [...field.options].some((o) => o.selected !== o.defaultSelected);
  return "defaultValue" in field && field.value !== field.defaultValue;
}
/** @param {any} field */
function kept(field) {
  if (sent.has(field)) return sent.get(field) !== field.value;
  return changed(field) || (field === document.activeElement && /INPUT|SELECT|TEXTAREA/.test(field.tagName));
}
/** How far the entry of a row has come, by the row's id: the attribute is ours, the server does not know it. @type {Map<string, string>} */
const states = new Map();
/** @param {Element} row */
function mark(row) {
  row.classList.toggle("dirty", [...row.querySelectorAll("input,select")].some(changed));
  const state = states.get(row.id), cell = $(".ident", row);
  if (state) cell?.setAttribute("data-state", state);
  else cell?.removeAttribute("data-state");
}
/** @param {HTMLFormElement} form @param {string} [state] */
function tell(form, state = "") {
  const id = form.id.replace("f-", "cp-"), row = byId(id);
  if (!form.dataset.row || !row?.classList.contains("cp")) return;
  states.set(id, state);
  mark(row);
  if (state.startsWith("✓")) setTimeout(() => {
    if (states.get(id) === state) states.delete(id), mark(byId(id) ?? row);
  }, 8000);
}
function keepDrafts(/** @type {Event} */ event) {
  const field = /** @type {Field} */ (event.target), row = field.closest(".cp");
  if (row) mark(row);
  if (!field.id || !("defaultValue" in field) || field.id === "token" || field.form?.hasAttribute("data-plain")) return;
  try {
    if (changed(field)) localStorage.setItem(draft(field), field.value);
    else localStorage.removeItem(draft(field));
  } catch {} // storage may be switched off
}
/** @param {ParentNode} from */
function restoreDrafts(from) {
  for (const field of from.querySelectorAll("input[id]:not([readonly]),textarea[id]")) {
    let text = null;
    try { text = localStorage.getItem(draft(field)); } catch {}
    if (text === null) continue;
    const input = /** @type {HTMLInputElement} */ (field);
    if (input.value === text) localStorage.removeItem(draft(field));
    else if (!field.hasAttribute("aria-invalid")) {
      input.value = text;
      const row = field.closest(".cp");
      if (row) mark(row);
    }
  }
}

// ---- morphing ----

/** @param {Element} old @param {Element | string} fresh */
function morph(old, fresh) {
  const pill = $(".pill", old)?.textContent, notes = $(".note button", old)?.textContent;
  const status = $(".cp>.st", old.parentElement ?? document) && $(".st", old)?.textContent, focused = document.activeElement;
  Idiomorph.morph(old, fresh, {
    callbacks: {
      /** @param {any} from @param {any} to */
      beforeNodeMorphed(from, to) {
        if (from.nodeType !== 1) return true;
        const row = from.matches(".ident,.conn") && from.closest(".cp");
        if (row && row !== answered && $("[aria-invalid]", row) && !$("[aria-invalid]", to.closest(".cp") ?? to)) return false;
        if (/^(INPUT|SELECT|TEXTAREA)$/.test(from.tagName)) {
          if (from.name === "bases") return ![...(from.form?.elements ?? [])].some((field) => changed(field) && kept(field));
          if (kept(from)) {
            if (changed(from) && to.getAttribute?.("value") !== from.getAttribute("value") && from.name === "identity")
              say(`${from.form?.dataset.row ?? ""}: changed elsewhere to ${to.getAttribute("value")}. Your text is kept.`);
            return false;
          }
        }
        return true;
      },
      /** @param {string} name @param {Element} node */
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.tagName === "DETAILS"),
    },
  });
  const now = byId(old.id);
  if (!now) return;
  const became = $(".pill", now)?.textContent;
  if (became !== pill) say(`Job ${body.dataset.job}: ${became?.toLowerCase()}.`, "job", true);
  if (now.classList.contains("cp")) {
    mark(now);
    const text = $(".st", now)?.textContent;
    if ($(".asked", now) && $(".note button", now)?.textContent !== notes)
      say(`${$("th", now)?.firstChild?.textContent?.trim()}: a note from the operator.`, `note ${now.id}`);
    if (status && text !== status) say(`${$("th", now)?.firstChild?.textContent?.trim()}: ${text}.`, now.id);
  }
  if (focused && focused !== document.activeElement && dialog?.open) byId("dialog-title")?.focus();
}
/** Take over every region of a page the server sent. @param {Document} page @param {boolean} [flash] */
function adopt(page, flash = true) {
  const rows = (/** @type {Document} */ of) => [...of.querySelectorAll(".cp")].map((row) => row.id).join();
  if (page.querySelector(".cp") && rows(page) !== rows(document)) return location.reload(); // drafts outlive it
  for (const old of document.querySelectorAll("[data-region]")) {
    const fresh = page.getElementById(old.id);
    if (fresh) morph(old, fresh);
  }
  const wrong = byId("errors"), problem = page.getElementById("errors");
  wrong?.remove();
  if (problem && byId("list")) byId("list")?.before(document.importNode(problem, true));
  body.dataset.seq = page.body.dataset.seq ?? body.dataset.seq;
  if (flash) say(page.getElementById("status")?.textContent?.trim() ?? "", "answer", true);
}
/** An answer that is no page of the job says in two sentences what is wrong. @param {Document} page @param {ParentNode} where */
function complain(page, where) {
  const banner = document.createElement("p");
  banner.id = "errors";
  banner.className = "banner problem";
  banner.setAttribute("role", "alert");
  banner.tabIndex = -1;
  banner.textContent = `${$("h1", page)?.textContent ?? ""} ${$("[role=alert]", page)?.textContent?.trim() ?? ""}`;
  byId("errors")?.remove();
  where.prepend(banner);
}
/** @param {string} url @param {RequestInit} [options] */
async function load(url, options) {
  const answer = await fetch(url, { credentials: "same-origin", ...options });
  back();
  if (answer.status === 401 || answer.status === 410 || new URL(answer.url).pathname === "/sign-in") location.reload();
  return { answer, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
}
/** @type {Set<string>} */
const stale = new Set();
let fetching = false;
/** Fetch what is stale, together, one request at a time. @param {string} region */
async function refresh(region) {
  stale.add(region);
  if (fetching) return;
  fetching = true;
  try {
    while (stale.size) {
      const names = stale.has("page") ? [] : [...stale].slice(0, 64);
      if (!names.length) { stale.clear(); adopt((await load(home)).page); continue; }
      for (const name of names) stale.delete(name);
      const answer = await fetch(`${body.dataset.regions ?? "/j/regions?"}names=${names.join(",")}`, { credentials: "same-origin" });
      back();
      if (answer.ok) for (const [name, fragment] of Object.entries(await answer.json())) {
        const old = $(`[data-region="${CSS.escape(name)}"]`);
        if (old) morph(old, fragment);
      } else if (answer.status !== 503) return location.reload();
    }
  } catch { lost(); } finally { fetching = false; }
}

// ---- the stream ----

const regions = () => /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-region]"));
/** What makes a region stale: what it says, else its own name. @param {HTMLElement} region */
const newsOf = (region) => (region.dataset.on ?? region.dataset.region?.replace(/^(actions|notes):/, "cp:") ?? "").split(" ");
addEventListener("click", (event) => {
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-pause]"));
  const region = /** @type {HTMLElement | null} */ (button && byId(button.dataset.pause ?? ""));
  if (!button || !region) return;
  const paused = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", `${paused}`);
  if (paused) region.dataset.paused = "1";
  else delete region.dataset.paused, refresh(region.dataset.region ?? "");
});
/** @type {EventSource | undefined} */
let source;
let silence = 0, probing = 0;
/** Forms whose send failed; they go again when the box is back. @type {Set<string>} */
const waiting = new Set();
function listen() {
  if (source || document.hidden || !body.dataset.seq) return;
  source = new EventSource(`${body.dataset.events ?? "/api/v1/job/events?"}after=${body.dataset.seq}`);
  source.onopen = back;
  source.onerror = () => {
    if (source?.readyState === EventSource.CLOSED) {
      silent();
      setTimeout(() => load(home).then(({ page }) => { adopt(page); listen(); }, listen), 5000);
    }
    silence ||= setTimeout(lost, 3000);
  };
  const heard = (/** @type {MessageEvent} */ event) => {
    body.dataset.seq = event.lastEventId || body.dataset.seq;
    if (event.type === "page" || event.type === "seen") refresh(event.type === "seen" ? "header" : "page"); // it counts them
    for (const region of regions()) if (!region.dataset.paused && newsOf(region).includes(event.type)) refresh(region.dataset.region ?? "");
  };
  const names = new Set(["page"]);
  for (const region of regions()) for (const name of newsOf(region)) names.add(name);
  for (const name of names) source.addEventListener(name, heard);
}
function silent() {
  source?.close();
  source = undefined;
}
function lost() {
  root.classList.add("lost");
  probing ||= setInterval(refresh, 3000, $("[data-region=header]") ? "header" : "page"); // the stream alone may not notice
  const bar = byId("lost"), phone = $("#phone b");
  if (bar) { bar.textContent = LOST; bar.hidden = false; }
  if (phone) phone.textContent = "no connection";
}
function back() {
  clearTimeout(silence);
  clearInterval(probing);
  silence = probing = 0;
  if (!root.classList.contains("lost")) return;
  root.classList.remove("lost");
  const bar = byId("lost"), phone = $("#phone b");
  if (bar) { bar.textContent = ""; bar.hidden = true; }
  if (phone) phone.textContent = "OK";
  const entries = waiting.size;
  for (const id of waiting) /** @type {HTMLFormElement | null} */ (byId(id))?.requestSubmit();
  waiting.clear();
  say(`Connected again.${entries ? ` ${entries} ${entries > 1 ? "entries" : "entry"} saved.` : ""}`);
}

// ---- dialogs: pages shown in place; Back and Esc close them ----

/** @param {string} url @param {boolean} [push] */
async function open(url, push = true) {
  const { page } = await load(url);
  const content = page.querySelector("[data-dialog]");
  if (!dialog || !content) return location.assign(url);
  dialog.replaceChildren(document.importNode(content, true));
  const line = $("[role=status]", dialog);
  if (line) { line.id = "dialog-status"; line.textContent = ""; }
  if (!dialog.open) dialog.showModal();
  if (push) {
    history.scrollRestoration = "manual"; // the page behind stays where it is
    history.pushState({ dialog: true }, "", url);
  }
  restoreDrafts(dialog);
  byId("dialog-title")?.focus();
}
dialog?.addEventListener("close", () => {
  dialog.replaceChildren();
  if (history.state?.dialog) history.back();
});
addEventListener("popstate", () => {
  if (dialog?.open) dialog.close();
  if (body.dataset.seq) history.scrollRestoration = "auto";
});
addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest("a[data-close]");
  if (!link || !dialog?.open) return;
  event.preventDefault();
  dialog.close();
  const row = byId(link.getAttribute("href")?.split("#")[1] ?? "");
  if (row && !row.checkVisibility()) byId("only-all")?.click();
  row?.scrollIntoView({ block: "center" });
});

// ---- forms ----

/** @param {HTMLFormElement} form @param {HTMLElement | null} button */
async function send(form, button) {
  const url = form.getAttribute("action") ?? "", data = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  if (root.classList.contains("lost") && url.endsWith("/actions")) return say(`No connection to the ${HOST}: not sent.`);
  form.dataset.busy = "1";
  button?.setAttribute("aria-busy", "true");
  const slow = setTimeout(tell, 400, form, "Saving …"); // at once it would move the button that is being pressed
  const mine = [.../** @type {any} */ (form.elements)].map((field) => /** @type {[Field, string]} */ ([field, field.value]));
  try {
    const { answer, page } = await load(url, { method: "POST", body: data });
    clearTimeout(slow);
    tell(form, answer.ok ? `✓ Saved on the ${HOST}` : "");
    sent.clear(); // until now news must not touch what is on its way
    for (const [field, text] of mine) sent.set(field, text);
    answered = form.closest(".cp") ?? byId(`cp-${url.match(/charge-points\/([^/]+)/)?.[1]}`);
    const inDialog = dialog?.open && dialog.contains(form), content = page.querySelector("[data-dialog]");
    if (answer.ok) {
      for (const [field, text] of sent)
        if (/** @type {Field} */ (field).value === text) try { localStorage.removeItem(draft(field)); } catch {}
      if (form.hasAttribute("data-note")) form.reset();
    }
    if (inDialog && content && !$("[data-region]", content)) dialog.replaceChildren(document.importNode(content, true));
    if (!answer.ok && !page.body.dataset.seq) return complain(page, (inDialog && $(".panel", dialog)) || byId("main") || body);
    if (inDialog && !content) dialog.close();
    adopt(page, !answer.ok || !form.dataset.row);
    if (answer.ok && form.dataset.row) say(`${form.dataset.row}: saved on the ${HOST}.`, form.id, true);
    if (!answer.ok) (form.closest(".cp") ? $("[aria-invalid]", form.closest(".cp") ?? form) : byId("errors"))?.focus();
    if (answer.ok && url.endsWith("/complete")) byId("completed")?.focus();
  } catch {
    clearTimeout(slow);
    tell(form, `Kept on this phone; it is sent when the ${HOST} is back.`);
    if (form.id && !url.endsWith("/actions")) waiting.add(form.id);
    lost();
  } finally {
    sent.clear();
    answered = null;
    delete form.dataset.busy;
    button?.removeAttribute("aria-busy");
  }
}
addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.hasAttribute("data-plain") || !body.dataset.seq) return;
  const url = form.getAttribute("action") ?? "";
  event.preventDefault();
  if (form.dataset.busy) return;
  if (form.method === "get") open(url).catch(lost);
  else send(form, event.submitter);
});
addEventListener("change", (event) => {
  const field = /** @type {Field} */ (event.target);
  if (field.closest(".cp") && field.form?.dataset.row && changed(field)) field.form.requestSubmit();
});
addEventListener("input", keepDrafts);

// ---- entry: the token stands in the fragment and is exchanged once ----

async function enter() {
  const token = /^#(gl1_[\w-]+)$/.exec(location.hash)?.[1];
  if (!token) return false;
  history.replaceState(null, "", "/j");
  try {
    const answer = await fetch("/api/session", {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) { location.replace("/j"); return true; }
    const { message, next_step } = await answer.json(), problem = byId("entry-error");
    if (problem) {
      const line = document.createElement("p"), first = document.createElement("b");
      line.className = "bad";
      first.textContent = message;
      line.append(first, ` ${next_step ?? ""}`);
      problem.replaceChildren(line);
    }
    else say(message);
  } catch {
    const field = /** @type {HTMLTextAreaElement | null} */ (byId("token"));
    if (field) field.value = token;
  }
  return false;
}
addEventListener("hashchange", enter);
if (!(await enter()) && body.dataset.seq) {
  restoreDrafts(document);
  listen();
  document.addEventListener("visibilitychange", () => (document.hidden ? silent() : listen()));
  addEventListener("pagehide", silent);
  addEventListener("pageshow", listen);
}
